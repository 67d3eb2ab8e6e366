"""The features of the product: one package per resource, with its pages, API, service, schemas and forms.

`FEATURES` is the only list of them. A module of pages has a `blueprint`, which `web.ui.pages` registers: those in `pages`
require a signed-in person, those in `public` do not. Importing a module of the API adds its routes to the API's blueprint.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

from flask import Blueprint


class Feature(NamedTuple):
    """A resource: the name of its package, and its modules with pages, public pages and API routes."""

    name: str
    pages: tuple[str, ...] = ("pages",)
    api: tuple[str, ...] = ("api",)
    public: tuple[str, ...] = ()


FEATURES = (
    Feature("sign_in", api=(), public=("public",)),
    Feature("account", pages=("first_password", "pages")),
    Feature("dashboard", api=()),
    Feature("monitors", pages=("pages", "form_pages", "action_pages", "detail_pages")),
    Feature("results"),
    Feature("tags", pages=()),
    Feature("alerts"),
    Feature("failed_deliveries"),
    Feature("incidents"),
    Feature("notification_providers"),
    Feature("locations"),
    Feature("maintenance_windows"),
    Feature("schedules"),
    Feature("queues"),
    Feature("api_keys"),
    Feature("members"),
    Feature("projects"),
    Feature("audit"),
)


def page_blueprints() -> Iterator[Blueprint]:
    """Import the pages of every feature and yield their blueprints."""
    for feature in FEATURES:
        for module in feature.pages:
            yield import_module(f"web.features.{feature.name}.{module}").blueprint


def public_blueprints() -> Iterator[Blueprint]:
    """Import the public pages of every feature and yield their blueprints."""
    for feature in FEATURES:
        for module in feature.public:
            yield import_module(f"web.features.{feature.name}.{module}").blueprint


def import_api() -> None:
    """Import the API of every feature, which adds its routes to the API's blueprint."""
    for feature in FEATURES:
        for module in feature.api:
            import_module(f"web.features.{feature.name}.{module}")
