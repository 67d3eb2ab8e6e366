"""The documents are true: commands, files and settings that they name exist, and so do the pipeline and the recipes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

import settings
from ops.cli import main

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "ops/decisions.md",
    "ops/runbook.md",
    "ops/configuration.md",
)
FOR_OPERATORS = ("README.md", "SECURITY.md", "ops/runbook.md", "ops/configuration.md")
#: Bytes. The picture is at the top of README, so it must load fast.
LARGEST_PICTURE = 300_000
#: README's path from a due check to a delivered alert: its steps, and the files that they name.
MOST_STEPS, MOST_FILES_ON_THE_PATH, MOST_LINES_ON_THE_PATH = 12, 20, 2_000


class Recipe(NamedTuple):
    """What CONTRIBUTING's recipe may cost, and its example.

    `names` maps the placeholders in its paths to the example. `pattern` finds the example in the product's files: each file
    that matches must be in the recipe or in `readers`, the files that use what was added.
    """

    at_most: int
    names: dict[str, str]
    pattern: str = ""
    readers: tuple[str, ...] = ()


RECIPES = {
    "Add a page": Recipe(4, {"FEATURE": "alerts"}),
    "Add a public page": Recipe(3, {"FEATURE": "sign_in", "PAGE": "login"}),
    "Add a field to the API": Recipe(4, {"RESOURCE": "maintenance_windows"}),
    "Add a monitor option": Recipe(
        5, {"TYPE": "http_request", "PROBE": "http"}, r"reuseConnection|reuse_connection: bool"
    ),
    "Add a setting": Recipe(4, {}, r"dns_cache_seconds|DNS_CACHE_SECONDS", readers=("actors/probes/resolver.py",)),
    "Add a channel": Recipe(5, {"CHANNEL": "discord"}, r"""['"]discord['"]"""),
    "Add a check type": Recipe(
        9,
        {"TYPE": "port_check", "PROBE": "port"},
        r"""['"]port_check['"]|form_port_check""",
        readers=(
            "ops/check_once.py",
            "ops/demo/content.py",
            "web/ui/addresses.py",
            "web/templates/monitors/_monitor.html",
            "web/templates/results/_results.html",
        ),
    ),
}

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_FOLDERS = "actors|docs|migrations|models|notifications|ops|scheduling|settings|tests|web"
_FILE = re.compile(rf"(?<![\w./-])(?:(?:{_FOLDERS})/[\w./-]*|[\w-]+\.(?:py|cfg|toml|lock|md))")
_SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?==)|(?<=`)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?=[=`])")
#: Words in capitals that are not settings.
_OTHER_NAMES = {"API_KEY"}
#: Placeholders for a name that the reader chooses, and the one file that must not exist.
_NOT_A_FILE = re.compile(r"TYPE|CHANNEL|PROBE|FEATURE|RESOURCE|PAGE|^utils\.py$")


def _text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def _code(document: str) -> Iterator[str]:
    """Yield every line of code in `document`: the lines of its blocks, and what stands in back-quotes."""
    text = _text(document)
    for block in _FENCE.findall(text):
        yield from block.splitlines()[1:-1]
    yield from _CODE.findall(_FENCE.sub("", text))


def _files_named_in(line: str) -> Iterator[str]:
    """Yield the paths in `line`. A file without a folder is in the folder of the path before it."""
    folder = ROOT
    for name in _FILE.findall(line):
        beside = folder / name
        yield str(beside.relative_to(ROOT)) if "/" not in name and beside.exists() else name
        if "/" in name:
            folder = (ROOT / name).parent


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    named = {target for line in _code(document) for target in re.findall(r"(?:^|\s)make ([a-z-]+)", line)}
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_supercheck_that_is_named_can_be_given_like_that(document: str) -> None:
    for line in _code(document):
        call = re.search(r"(?:^|bin/|\s)supercheck ([a-z].*)", line.partition("  #")[0])
        if call is None:
            continue
        name, *arguments = shlex.split(call[1])
        command = main.commands[name]
        # Parses the arguments without running the command: an unknown option raises.
        required = [param for param in command.params if isinstance(param, click.Argument) and param.required]
        if arguments or not required:
            command.make_context(name, arguments)


def test_readme_names_every_command_of_supercheck() -> None:
    """`make run` runs `up`; `release` is hidden, because only `up` and platforms run it."""
    named = {name for line in _code("README.md") for name in re.findall(r"supercheck ([a-z-]+)", line)}
    assert {name for name, command in main.commands.items() if not command.hidden} - {"up"} <= named


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_file_leads_there(document: str) -> None:
    for target in _LINK.findall(_text(document)):
        if not target.startswith(("http://", "https://", "#")):
            assert ((ROOT / document).parent / target.partition("#")[0]).exists(), target


def _anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_heading_leads_there(document: str) -> None:
    for target in _LINK.findall(_text(document)):
        name, _, anchor = target.partition("#")
        if anchor and not target.startswith(("http://", "https://")):
            path = (ROOT / document).parent / name if name else ROOT / document
            assert anchor in _anchors(path), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str) -> None:
    for line in _code(document):
        for name in _files_named_in(line):
            if not _NOT_A_FILE.search(name):
                assert (ROOT / name).exists() or ((ROOT / document).parent / name).exists(), f"{name} in: {line}"


@pytest.mark.parametrize("document", FOR_OPERATORS)
def test_every_setting_that_is_named_exists(document: str) -> None:
    text = _text(document)
    # Error codes look like settings; they have their own page and test.
    codes = set(re.findall(r"^\| `([A-Z_]+)` \|", _text("docs/errors.md"), re.MULTILINE))
    assert set(_SETTING.findall(text)) <= set(settings.variable_names()) | codes | _OTHER_NAMES


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs" / "monitor.png").stat().st_size < LARGEST_PICTURE


def _steps_of_the_pipeline() -> list[str]:
    blocks = (block.splitlines()[1:-1] for block in _FENCE.findall(_text("README.md")))
    return next(block for block in blocks if block[0].startswith(" 1  "))


def test_the_pipeline_is_one_numbered_path() -> None:
    steps = _steps_of_the_pipeline()
    assert [int(step[:2]) for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) <= MOST_STEPS


def test_the_files_of_the_pipeline_can_be_read_in_one_sitting() -> None:
    """The last step is the folder of the SQL statements, which README excludes together with the other leaves."""
    paths = {ROOT / name for step in _steps_of_the_pipeline() for name in _files_named_in(step) if name.endswith(".py")}
    assert len(paths) <= MOST_FILES_ON_THE_PATH
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths) < MOST_LINES_ON_THE_PATH


def _recipes() -> dict[str, str]:
    """Return the text of each recipe by its heading, without its tests."""
    chapter = _text("CONTRIBUTING.md").partition("\n## Recipes\n")[2].partition("\n## ")[0]
    heads = re.findall(r"^### (.*)$", chapter, re.MULTILINE)
    bodies = re.split(r"^### .*$", chapter, flags=re.MULTILINE)[1:]
    return {head: body.partition("\nTests:")[0] for head, body in zip(heads, bodies, strict=True)}


def _files_of(heading: str) -> set[str]:
    """Return the paths to edit, with the example's names: those before the colon in each part of a recipe's steps."""
    steps = re.findall(r"^\d+\. (.*(?:\n {3}.*)*)", _recipes()[heading], re.MULTILINE)
    parts = (part for step in steps for part in re.split(r";\s+", step) if "`:" in part)
    lists = (part.partition("`:")[0] + "`" for part in parts)
    paths = {name for text in lists for quoted in _CODE.findall(text) for name in _files_named_in(quoted)}
    for placeholder, example in RECIPES[heading].names.items():
        paths = {path.replace(placeholder, example) for path in paths}
    return paths


def test_every_recipe_is_tested() -> None:
    assert set(_recipes()) == set(RECIPES)


@pytest.mark.parametrize("heading", RECIPES)
def test_the_files_of_a_recipe_exist_and_are_few(heading: str) -> None:
    files = _files_of(heading)
    assert [path for path in files if not (ROOT / path).exists()] == []
    assert 0 < len(files) <= RECIPES[heading].at_most


@pytest.mark.parametrize("heading", [heading for heading, recipe in RECIPES.items() if recipe.pattern])
def test_a_recipe_names_every_file_of_its_example(heading: str) -> None:
    recipe, files = RECIPES[heading], _files_of(heading)
    allowed = tuple(files | set(recipe.readers))
    folders = [ROOT / folder for folder in _FOLDERS.split("|") if folder not in {"tests", "docs"}]
    sources = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".html"}]
    sources += ROOT.glob("*.py")
    users = {
        str(path.relative_to(ROOT)) for path in sources if re.search(recipe.pattern, path.read_text(encoding="utf-8"))
    }
    assert [path for path in sorted(users) if not path.startswith(allowed)] == []


def test_the_changelog_begins_with_the_current_version() -> None:
    released = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$", _text("CHANGELOG.md"), re.MULTILINE)
    current = re.search(r"^version = (.*)$", _text("setup.cfg"), re.MULTILINE)
    assert current is not None
    assert released[0] == current[1]


def test_every_decision_has_a_date_and_a_status() -> None:
    entries = re.split(r"^## ", _text("ops/decisions.md"), flags=re.MULTILINE)[1:]
    dated = re.compile(r".*\n\*\d{4}-\d{2}-\d{2}, (?:accepted|withdrawn|replaced by “.*”)\.\* ")
    assert entries
    assert [entry for entry in entries if not dated.match(entry)] == []
