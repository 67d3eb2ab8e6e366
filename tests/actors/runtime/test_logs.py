"""Log lines."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

import settings
from actors.runtime import logs


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_no_local_variable(form: str) -> None:
    logs.configure(settings.parse({"LOG_FORMAT": form}), "worker")
    written = io.StringIO()
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)

    def check(config: dict[str, str]) -> None:
        raise RuntimeError("the check stumbled")

    try:
        check({"password": "-".join(["correct", "horse"])})
    except RuntimeError:
        structlog.get_logger("actors.checks.engine").exception("probe failed")
    assert "the check stumbled" in written.getvalue()
    assert "correct-horse" not in written.getvalue()
