"""The pages people see: one file a page, each with a blueprint of its own under `pages`."""

from flask import Blueprint, Flask
from flask_bootstrap import Bootstrap5

from models import time_zones
from web.pages import access, assets, beats, changes, icons, navigation, paging, trail, wording


def init_app(app: Flask) -> None:
    """Register every page on `app`, with the filters and parts that their templates use."""
    from web.pages import (
        account,
        alerts,
        api_keys,
        audit,
        dashboard,
        first_password,
        incidents,
        locations,
        maintenance,
        members,
        monitor,
        monitor_actions,
        monitor_form,
        monitors,
        pings,
        projects,
        providers,
        queues,
        schedules,
        sign_in,
        undelivered,
    )

    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    icons.init_app(app)
    wording.init_app(app)
    trail.init_app(app)
    beats.init_app(app)
    paging.init_app(app)
    assets.init_app(app)
    app.jinja_env.globals["time_zones"] = time_zones.names
    changes.init_app(app)
    pages = Blueprint("pages", __name__)
    pages.before_request(access.refuse_unreadable)
    pages.before_request(access.require_sign_in)
    pages.before_request(access.drop_empty_arguments)
    pages.context_processor(access.template_context)
    pages.context_processor(navigation.template_context)
    for page in (
        sign_in,
        first_password,
        changes,
        dashboard,
        monitors,
        monitor_form,
        monitor_actions,
        monitor,
        alerts,
        undelivered,
        pings,
        incidents,
        providers,
        locations,
        maintenance,
        schedules,
        queues,
        account,
        api_keys,
        members,
        projects,
        audit,
    ):
        pages.register_blueprint(page.blueprint)
    app.register_blueprint(pages)
