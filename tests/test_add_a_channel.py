"""The recipe "Add a channel" of CONTRIBUTING.md: the five files that know a channel, and no others."""

import tokenize
from ast import literal_eval
from pathlib import Path

import pytest

from channels import CHANNELS
from notifications import SENDERS
from web.features.notification_providers.forms import TYPES
from web.features.notification_providers.schemas import CONFIGS

ROOT = Path(__file__).parents[1]
FOLDERS = ("actors", "models", "notifications", "ops", "scheduling", "settings", "web")
SHARED = (
    "channels.py",
    "web/features/notification_providers/forms.py",
    "web/features/notification_providers/schemas.py",
)
#: `email` and `webhook` have other meanings in the code, and `apprise` is also the name of a library.
UNAMBIGUOUS = sorted(CHANNELS.keys() - {"email", "webhook", "apprise"})


def places(name: str) -> list[str]:
    return [*SHARED, f"notifications/{name}.py", f"tests/notifications/test_{name}.py"]


@pytest.mark.parametrize("name", CHANNELS)
def test_each_channel_has_its_five_places(name: str) -> None:
    assert len(places(name)) == 5
    assert [place for place in places(name) if not (ROOT / place).is_file()] == []
    assert name in SENDERS
    fields = {field.alias or key for key, field in CONFIGS[name].model_fields.items()}
    channel = CHANNELS[name]
    assert {*channel.secret_fields, channel.url_field or "to"} <= fields
    assert {field.removeprefix("config.") for field in TYPES[name]} == fields
    assert channel.label
    assert channel.messages_per_minute > 0


def test_the_places_list_the_same_channels() -> None:
    assert list(CHANNELS) == list(SENDERS) == list(CONFIGS) == list(TYPES)


@pytest.mark.parametrize("name", UNAMBIGUOUS)
def test_no_other_module_knows_a_channel(name: str) -> None:
    modules = [*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
    knowing = {str(path.relative_to(ROOT)) for path in modules if name in _strings(path)}
    assert knowing <= set(places(name))


def _strings(path: Path) -> set[str]:
    """The plain string literals of a module."""
    with path.open("rb") as source:
        tokens = [token.string for token in tokenize.tokenize(source.readline) if token.type == tokenize.STRING]
    return {str(literal_eval(text)) for text in tokens if text[0] in "\"'"}
