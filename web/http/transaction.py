"""One change = one transaction, and what may only happen once it is safely stored."""

from collections.abc import Callable

from flask import g

from web.http.extensions import db


def after_commit(action: Callable[[], object]) -> None:
    """Have `action` called once this request's change is committed; an action is called once however often it is named."""
    actions: list[Callable[[], object]] = g.setdefault("after_commit", [])
    if action not in actions:
        actions.append(action)


def commit() -> None:
    """Commit, then do what waited for it."""
    db.session.commit()
    for action in g.pop("after_commit", []):
        action()


def nudge_scheduler() -> None:
    """Have the scheduler look again at once, after the commit: something became due."""
    from actors.broker import nudge_scheduler as nudge

    after_commit(nudge)
