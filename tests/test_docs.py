"""The documents say what is there: their commands exist, and so does every file and setting that they name."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import settings
from ops.cli import main

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "ops/decisions.md",
    "ops/runbook.md",
    "ops/configuration.md",
)
FOR_OPERATORS = ("README.md", "ops/runbook.md", "ops/configuration.md")
#: GitHub and a slow line both want the first picture soon.
LARGEST_PICTURE = 300_000

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_ROOMS = "actors|docs|migrations|models|notifications|ops|scheduling|settings|tests|web"
_FILE = re.compile(rf"(?<![\w./-])(?:(?:{_ROOMS})/[\w./-]*|[\w-]+\.(?:py|cfg|toml|lock|md))")
_SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?==)|(?<=`)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?=[=`])")
#: Words in capitals that are no settings of ours.
_OTHER_NAMES = {"API_KEY"}
#: What stands for a name that the reader chooses, and the one file that must not be there.
_NOT_MEANT = re.compile(r"TYPE|CHANNEL|^utils\.py$")


def _text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def _code(document: str) -> Iterator[str]:
    """Every line of code in `document`: of its blocks, and between back-quotes."""
    text = _text(document)
    for block in _FENCE.findall(text):
        yield from block.splitlines()[1:-1]
    yield from _CODE.findall(_FENCE.sub("", text))


def _files_named_in(line: str) -> Iterator[str]:
    """The paths in `line`; a file named alone lies beside the one before it."""
    room = ROOT
    for name in _FILE.findall(line):
        beside = room / name
        yield str(beside.relative_to(ROOT)) if "/" not in name and beside.exists() else name
        if "/" in name:
            room = (ROOT / name).parent


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    named = {target for line in _code(document) for target in re.findall(r"(?:^|\s)make ([a-z-]+)", line)}
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_supercheck_that_is_named_can_be_given_like_that(document: str) -> None:
    for line in _code(document):
        found = re.search(r"(?:^|bin/|\s)supercheck ([a-z].*)", line.partition("  #")[0])
        if found is None:
            continue
        name, *arguments = shlex.split(found[1])
        command = main.commands[name]
        # Parses, and so refuses what the command does not know, without running it.
        wanted = [one for one in command.params if isinstance(one, click.Argument) and one.required]
        if arguments or not wanted:
            command.make_context(name, arguments)


def test_readme_names_every_command_of_supercheck() -> None:
    """`up` is what `make run` runs; `release` is for `up` alone."""
    named = {name for line in _code("README.md") for name in re.findall(r"supercheck ([a-z-]+)", line)}
    assert {name for name, command in main.commands.items() if not command.hidden} - {"up"} <= named


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_file_leads_there(document: str) -> None:
    for target in _LINK.findall(_text(document)):
        if not target.startswith(("http://", "https://", "#")):
            assert ((ROOT / document).parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str) -> None:
    for line in _code(document):
        for name in _files_named_in(line):
            if not _NOT_MEANT.search(name):
                assert (ROOT / name).exists() or ((ROOT / document).parent / name).exists(), f"{name} in: {line}"


@pytest.mark.parametrize("document", FOR_OPERATORS)
def test_every_setting_that_is_named_exists(document: str) -> None:
    text = _text(document)
    # Codes of errors look alike; they have a page and a test of their own.
    codes = set(re.findall(r"^\| `([A-Z_]+)` \|", _text("docs/errors.md"), re.MULTILINE))
    assert set(_SETTING.findall(text)) <= set(settings.variable_names()) | codes | _OTHER_NAMES


def test_the_picture_is_small_enough_to_be_seen_soon() -> None:
    assert (ROOT / "docs" / "monitor.png").stat().st_size < LARGEST_PICTURE
