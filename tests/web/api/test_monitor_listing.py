"""The list of monitors."""

from flask import Flask
from sqlalchemy import event

from tests import factories
from tests.web.api.cast import Cast
from web.http.extensions import db


def test_the_list_is_by_name_in_pages(cast: Cast) -> None:
    for name in ("c", "a", "d", "b"):
        factories.a_monitor(cast.project, name=name)
    factories.a_monitor(cast.other_project, name="not ours")
    answer = cast.viewer.get("/monitors?page=2&limit=3").json
    assert [one["name"] for one in answer["data"]] == ["d"]  # type: ignore[index]
    assert answer["pagination"] == {  # type: ignore[index]
        "page": 2,
        "limit": 3,
        "total": 4,
        "totalPages": 2,
        "hasNextPage": False,
        "hasPrevPage": True,
    }
    beyond = cast.viewer.get("/monitors?page=9&limit=3").json
    assert (beyond["data"], beyond["pagination"]["total"]) == ([], 4)  # type: ignore[index]


def test_the_list_is_filtered(cast: Cast) -> None:
    factories.a_monitor(cast.project, name="Shop 100%", tags=["prod", "web"], state={"status": "down"})
    factories.a_monitor(cast.project, name="Blog", description="the shop's news", state={"status": "up"})
    factories.a_monitor(cast.project, name="Old", enabled=False, state={"status": "down"})
    factories.a_monitor(cast.project, name="Cut off", state={"status": "up", "last_verdict": "error"})
    factories.a_monitor(cast.project, "heartbeat", name="Backup")
    expected = {
        "q=SHOP": {"Shop 100%", "Blog"},
        "q=0%25": {"Shop 100%"},
        "q=_": set(),
        "status=down": {"Shop 100%"},
        "status=paused": {"Old"},
        "status=error": {"Cut off"},
        "status=pending": {"Backup"},
        "tag=prod": {"Shop 100%"},
        "tag=pro": set(),
        "enabled=false": {"Old"},
        "type=heartbeat": {"Backup"},
        "type=http&status=up": {"Blog"},
    }
    for query, names in expected.items():
        answer = cast.viewer.get(f"/monitors?{query}").json
        assert {one["name"] for one in answer["data"]} == names, query  # type: ignore[index]
        assert answer["pagination"]["total"] == len(names)  # type: ignore[index]


def test_a_longer_list_takes_no_more_statements(app: Flask, cast: Cast) -> None:
    provider = factories.a_provider(cast.project)
    for _ in range(12):
        factories.a_monitor(cast.project, providers=(provider,))
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    counts = []
    for limit in (1, 11):
        statements.clear()
        assert len(cast.viewer.get(f"/monitors?limit={limit}").json["data"]) == limit  # type: ignore[index]
        counts.append(sum("FROM" in statement for statement in statements))
    event.remove(db.engine, "before_cursor_execute", note)
    # The key's last use is written with the first request only, and that statement has no FROM.
    assert counts[0] == counts[1] > 0
