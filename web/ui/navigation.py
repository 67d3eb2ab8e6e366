"""The main navigation of the side bar and of the bar on phones."""

from typing import Any, NamedTuple

from flask import request
from flask_login import current_user

from web.http.auth import current_caller
from web.http.errors import shows_error


class Item(NamedTuple):
    """One link to the page `endpoint`; `current` is set on all pages of its blueprint."""

    name: str
    icon: str
    endpoint: str
    current: bool = False


_MAIN = (
    Item("Dashboard", "grid-1x2", "pages.dashboard.index"),
    Item("Monitors", "activity", "pages.monitors.index"),
    Item("Alerts", "bell", "pages.alerts.index"),
    Item("Outages", "exclamation-octagon", "pages.incidents.index"),
    Item("Channels", "send", "pages.providers.index"),
    Item("Maintenance", "wrench-adjustable", "pages.maintenance.index"),
    Item("Schedules", "calendar3", "pages.schedules.index"),
    Item("Locations", "geo-alt", "pages.locations.index"),
)
_SETTINGS = (
    Item("Account", "person", "pages.account.index"),
    Item("Projects", "collection", "pages.projects.index"),
    Item("API keys", "key", "pages.api_keys.index"),
    Item("Members", "people", "pages.members.index"),
    Item("Audit log", "journal-text", "pages.audit.index"),
    Item("Queues", "inboxes", "pages.queues.index"),
)
#: Blueprint without a link -> the blueprint whose link is marked as current.
_PART_OF = {
    "pages.monitor": "pages.monitors",
    "pages.monitor_form": "pages.monitors",
    "pages.monitor_actions": "pages.monitors",
}
_OPERATORS_ONLY = {"pages.queues.index"}
_ADMINISTRATORS_ONLY = {"pages.api_keys.index", "pages.members.index", "pages.audit.index"}


def _marked(items: tuple[Item, ...]) -> list[Item]:
    here = (request.endpoint or "").rpartition(".")[0]
    here = _PART_OF.get(here, here)
    return [item._replace(current=item.endpoint.rpartition(".")[0] == here) for item in items]


def template_context() -> dict[str, Any]:
    """Return the links that the signed-in user may open."""
    if shows_error() or not current_user.is_authenticated or current_user.user.must_change_password:
        return {"navigation": [], "settings_navigation": []}
    caller = current_caller()
    hidden = set() if caller.can_administer else _ADMINISTRATORS_ONLY
    hidden = hidden if caller.can_manage_organization else hidden | _OPERATORS_ONLY
    own = tuple(item for item in _SETTINGS if item.endpoint not in hidden)
    return {"navigation": _marked(_MAIN), "settings_navigation": _marked(own)}
