"""One change is one transaction. Actions that must follow it run after the commit."""

from collections.abc import Callable

from flask import g

from web.http.extensions import db


def after_commit(action: Callable[[], object]) -> None:
    """Run `action` after this request's commit. An action that is added twice runs once."""
    actions: list[Callable[[], object]] = g.setdefault("after_commit", [])
    if action not in actions:
        actions.append(action)


def commit() -> None:
    """Commit, then run the actions that wait for it."""
    db.session.commit()
    for action in g.pop("after_commit", []):
        action()


def nudge_scheduler() -> None:
    """After the commit, make the scheduler look at once for monitors that became due."""
    from actors.broker import nudge_scheduler as nudge

    after_commit(nudge)
