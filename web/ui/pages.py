"""The two parents of all pages: `pages` for signed-in people, and `public` for everyone.

The templates of `pages` extend `layout.html`, those of `public` extend `public_layout.html`, which needs no session.
"""

from flask import Blueprint, Flask
from flask_bootstrap import Bootstrap5

from models.rules import time_zones
from web.features import page_blueprints, public_blueprints
from web.features.audit import labels as audit_labels
from web.features.results import round_bar
from web.live import page_stream
from web.ui import access, assets, icons, labels, navigation, pagination, schedules


def init_app(app: Flask) -> None:
    """Register every page on `app`, with the filters and functions that their templates use."""
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    for module in (icons, labels, schedules, audit_labels, round_bar, pagination, assets, page_stream):
        module.init_app(app)
    app.jinja_env.globals["time_zones"] = time_zones.names
    app.register_blueprint(_signed_in_pages())
    app.register_blueprint(_public_pages())


def _signed_in_pages() -> Blueprint:
    pages = Blueprint("pages", __name__)
    pages.before_request(access.refuse_unreadable)
    pages.before_request(access.require_sign_in)
    pages.before_request(access.drop_empty_arguments)
    pages.context_processor(access.template_context)
    pages.context_processor(navigation.template_context)
    pages.register_blueprint(page_stream.blueprint)
    for blueprint in page_blueprints():
        pages.register_blueprint(blueprint)
    return pages


def _public_pages() -> Blueprint:
    public = Blueprint("public", __name__)
    public.before_request(access.refuse_unreadable)
    public.before_request(access.drop_empty_arguments)
    for blueprint in public_blueprints():
        public.register_blueprint(blueprint)
    return public
