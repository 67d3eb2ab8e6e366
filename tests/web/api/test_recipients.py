"""Who is notified, over the API: monitors without a recipient, and a provider used for all."""

from typing import Any

from tests import factories
from tests.web.api.cast import Cast


def names(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {one["name"] for one in answer.json["data"]}


def test_monitors_that_notify_nobody_are_listed_and_given_a_provider(cast: Cast) -> None:
    provider = factories.a_provider(cast.project, name="On call")
    for name in ("A", "B"):
        factories.a_monitor(cast.project, name=name)
    factories.a_monitor(cast.other_project, name="not ours")
    assert names(cast.viewer.get("/monitors?notifies=nobody")) == {"A", "B"}
    path = f"/notification-providers/{provider.id}"
    assert cast.viewer.post(f"{path}/use-for-all").status_code == 403
    assert cast.stranger.post(f"{path}/use-for-all").status_code == 404
    assert cast.editor.post(f"{path}/use-for-all").json == {"added": 2}
    assert cast.editor.post(f"{path}/use-for-all").json == {"added": 0}
    assert names(cast.viewer.get("/monitors?notifies=nobody")) == set()
    assert names(cast.viewer.get(f"/monitors?notifiesOnly={provider.id}")) == {"A", "B"}
    assert names(cast.stranger.get(f"/monitors?notifiesOnly={provider.id}")) == set()


def test_disabling_a_provider_warns_of_the_monitors_that_are_left_without(cast: Cast) -> None:
    provider = factories.a_provider(cast.project, name="On call")
    for number in range(7):
        factories.a_monitor(cast.project, name=f"M{number}")
    path = f"/notification-providers/{provider.id}"
    cast.editor.post(f"{path}/use-for-all")
    warnings = cast.editor.patch(path, {"enabled": False}).json["warnings"]  # type: ignore[index]
    said = "These monitors have no active channel now: M0, M1, M2, M3, M4 and 2 more."
    assert {"field": "enabled", "message": said} in warnings
    assert cast.editor.patch(path, {"enabled": True}).json["warnings"] == []  # type: ignore[index]


def test_a_value_that_the_filter_does_not_know_is_refused(cast: Cast) -> None:
    assert cast.viewer.get("/monitors?notifies=somebody").status_code == 422
    assert cast.viewer.get("/monitors?notifiesOnly=nonsense").status_code == 422
