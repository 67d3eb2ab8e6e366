"""What people see of the credentials that they have saved."""

from collections.abc import Callable

from models.tables import Monitor, NotificationProvider
from tests.web.pages.visitor import Visitor
from web.http.extensions import db

MONITOR = {"name": "Shop", "target": "http://127.0.0.1:9/", "config.auth.type": "basic", "config.auth.username": "me"}


def test_a_weak_password_is_saved_with_a_warning_and_its_age_is_on_the_form(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    answer = someone.submit("/monitors/new?type=http_request", **MONITOR, **{"config.auth.password": "letmein"})
    assert answer.status_code == 303
    monitor = db.session.query(Monitor).one()
    page = someone.get(f"/monitors/{monitor.id}")
    assert "The password is weak. It is one of the first values that attackers try." in page
    assert "letmein" not in page
    form = someone.get(f"/monitors/{monitor.id}/edit")
    assert "Secrets are stored encrypted and shown masked." in form
    assert "letmein" not in form


def test_a_good_password_is_saved_without_a_word(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    someone.submit("/monitors/new?type=http_request", **MONITOR, **{"config.auth.password": "tr0ubador-Kx91-zebra"})
    assert "is weak" not in someone.get("/monitors")


def test_a_providers_weak_secret_is_named_and_the_age_of_its_credentials_shown(
    visitor: Callable[..., Visitor],
) -> None:
    someone = visitor()
    someone.submit(
        "/notification-providers/new?type=webhook",
        name="Hook",
        **{"config.url": "http://127.0.0.1:9/", "config.secret": "secret"},
    )
    assert "The signing secret is weak." in someone.get("/notification-providers")
    provider = db.session.query(NotificationProvider).one()
    assert "Secrets are stored encrypted and shown masked." in someone.get(f"/notification-providers/{provider.id}")
