"""A real Chromium on the real application, over loopback."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.cuttable import Wire

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    """The machine's Chromium, else Playwright's; without one the tests are skipped, except in CI.

    Of this package only: Playwright keeps an event loop running in the thread, where later tests could run none.
    """
    from playwright.sync_api import Error, expect, sync_playwright

    expect.set_options(timeout=20_000)

    with sync_playwright() as playwright:
        path = next((found for found in map(shutil.which, _NAMES) if found), None)
        try:
            # As root Chromium runs without its sandbox only; it sees nothing but our own pages here.
            made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        except Error as error:
            if _IN_CI:
                raise
            pytest.skip(f"no Chromium here: {str(error).splitlines()[0]}")
        yield made
        made.close()


@pytest.fixture
def cable(database_url: str) -> "Iterator[Wire]":
    """The demonstration's installation, served over a line that can be cut."""
    from tests.browser import demo
    from tests.cuttable import wire
    from tests.web.serving import an_app, served
    from web.live.streams import live_of

    with an_app() as app:
        demo.seed()
        views = _Views(app.wsgi_app)
        app.wsgi_app = views  # type: ignore[method-assign]
        with served(app) as there, wire(there) as line:
            yield line
        # A view that a closed page left running still has a database connection; so may a stream that counts.
        live_of(app).stop()
        views.wait_until_idle()


@pytest.fixture
def site(cable: "Wire") -> str:
    """The installation's address."""
    return f"http://127.0.0.1:{cable.port}"


class _Views:
    """The application, counting the answers under way."""

    def __init__(self, inner: Callable[..., Any]) -> None:
        self.inner = inner
        self.changed = threading.Condition()
        self.running = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self._count(1)
        try:
            answer = self.inner(environ, start_response)
        except BaseException:
            self._count(-1)
            raise
        return ClosingIterator(answer, lambda: self._count(-1))

    def _count(self, more: int) -> None:
        with self.changed:
            self.running += more
            self.changed.notify_all()

    def wait_until_idle(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.running == 0, 15)


@pytest.fixture
def complaints() -> list[str]:
    """What the pages wrote to the console as errors; a test that expects some takes them out."""
    return []


@pytest.fixture
def visit(browser: "Browser", site: str, complaints: list[str]) -> "Iterator[Callable[..., Page]]":
    """Call it with a path (and a viewport, a colour scheme) for a signed-in page; no page may complain."""
    from tests import factories

    contexts = []

    def opened(path: str, **options: Any) -> "Page":
        context = browser.new_context(base_url=site, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"/login?next={path}")
        page.get_by_label("E-mail address").fill("admin@example.com")
        page.get_by_label("Password").fill(factories.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
