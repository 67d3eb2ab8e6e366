"""Documents, texts, docstrings, comments and names use plain technical English and the field's standard terms.

`WORDS` applies to all prose, `OLD_TEXTS` to what users read, `OLD_NAMES` to identifiers. Code in back-quotes is not prose.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

#: Pattern -> what to write instead. Ignores case.
WORDS = {
    r"told": "notified, sent, shown",
    r"nobody": "no one, or the actor's name",
    r"somebody": "someone, a person, or the actor's name",
    r"whoever": "the actor's name",
    r"(?:for ever|forever)": "permanently, without limit",
    r"anew": "again",
    r"afresh": "again",
    r"(?:in the )?meanwhile": "during that time, while it …",
    r"so long as": "while, if",
    r"of (?:ours|theirs|hers|yours)": "our, their, Supercheck's",
    r"mend(?:s|ed|ing)?": "repair, fix",
    r"lest": "so that … not",
    r"hush(?:es|ed|ing)?": "suppress",
    r"ow(?:ing|es|ed)": "pending",
    r"(?:the|a|whole|real) road": "pipeline",
    r"storms?": "alert grouping",
    r"rag(?:es|ing)": "is a flood",
    r"ripe": "due",
    r"insistence|stubborn": "retry backoff, stuck",
    r"chores?": "pending work",
    r"homeless": "unplaced",
    r"strangers?": "unknown clients",
    r"farm|town|canaries|canary": "fake targets, test cluster, leak markers",
    r"mightier|mighty": "outranks, a higher role",
    r"seldom|erewhile|whilst|hither\w*|thither|whence|thence|hence(?:forth)?|thereof|therein|whereupon|forthwith|"
    r"albeit|naught|nought|aught|betwixt|amongst|oft|ere|heed|perchance": "a modern word",
    r"answers (?:how|what|which|whether|when|the|a|an|None|True|False)": "returns",
    r"(?:None|True|False|empty|nothing|zero) (?-i:where)": "if",
    r"raises? `?\w+`? (?-i:where)": "if",
    r"goes? with the present": "conflicts with the current",
    r"present (?:state|value|password|name)s?": "current",
    r"must be a text": "must be a string",
    r"go(?:es)? well": "succeed",
    r"well again": "recovered",
    r"no such thing": "does not exist",
    r"on our side": "in Supercheck",
    r"misses wait": "hold missed heartbeats",
    r"put aside": "buffer",
    r"gives? up on": "fail permanently",
}
#: Texts that pages, the API and messages no longer use -> what they say now.
OLD_TEXTS = {
    "What was answered": "Show response",
    "How its body begins": "Body (first 2 kB)",
    "Headers of the answer": "Response headers",
    "Expected answer": "Expected response",
    "What was found": "Details",
    "The newest request": "Latest request",
    "Newest 50": "Last 50 checks",
    "95 % were faster": "95th percentile",
    "Failed rounds before": "Failed checks in a row before down",
    "Good rounds before": "Successful checks in a row before up",
    "settled state": "Current result",
    "first verdict": "first result",
    "its alerts": "Alerts",
    "Going on": "Ongoing",
    "took the test message": "Test message delivered to …",
    "did not take": "Test message to … failed",
    "tells nobody": "has no notification channel",
    "one provider fewer": "use it; … have no other channel",
    "In use": "Enabled",
    "Not in use": "Disabled",
    "Not used yet": "Never used",
    "How it did": "Delivery history",
    "On their way": "Queued",
    "for good, or for long": "permanently or for more than …",
    "wait for their turn": "are queued",
    "Again and again": "Recurring",
    "Plan it": "Schedule",
    "belongs to it now": "was added as …",
    "is taken away": "was removed",
    "somebody who is gone": "deleted user",
    "Make it": "Create",
    "Make a key": "Create key",
    "Show it": "Switch to",
    "shown now": "current",
    "May act as": "Role",
    "than signs": "than symbols",
    "With the chosen": "… selected",
    "Choose all": "Select all on this page",
    "Nothing fits": "No monitors found",
    "Every state": "All states",
    "is under way": "Check started",
    "Slowest answer": "Maximum response time",
    "that does not fit": "An invalid certificate …",
    "Redirects at most": "Maximum redirects",
    "Last heard": "Last ping",
    "There is no such address": "Page not found",
    "at work": "online",
    "left unanswered": "All checks answered",
    "Live updates off": "Not live",
    "The answer was": "HTTP … received",
    "The answer does not contain": "Keyword … not found in the response",
    "belong into": "Enter … under …",
    "Must not hold": "must not contain",
    "Done for": "Paused … / Enabled …",
}
#: Words in identifiers that had a private meaning -> the term that the project uses.
OLD_NAMES = {
    "hush": "suppression",
    "hushed": "suppressed",
    "owing": "pending_alert",
    "owes": "pending_alert",
    "told": "sent, notified",
    "telling": "alert_events",
    "storm": "alert grouping",
    "rages": "is_flood",
    "ripe": "is_due",
    "insistence": "resend_backoff",
    "stubborn": "stuck",
    "chores": "pending_work",
    "attendance": "ping_intake",
    "presence": "process_registry",
    "departed": "DeadProcesses",
    "lately": "recent",
    "spared": "CircuitOpen",
    "asker": "request_id",
    "shaken": "recovering_until",
    "patience": "a name for this limit",
    "settling": "a name for this period",
    "believed": "MAX_BACKFILL",
    "seal": "encrypt",
    "unseal": "decrypt",
    "mightier": "outranks",
    "strangers": "unknown_clients",
    "homeless": "unplaced_errors",
    "farm": "fake_targets",
    "town": "test_cluster",
    "casting": "fixtures",
    "canaries": "leak_markers",
    "nobody": "no_recipient",
    "somebody": "the actor",
    "whoever": "the actor",
}
#: Names of test functions are sentences, in which these words are no terms.
ALLOWED_IN_TEST_NAMES = {"told", "nobody", "somebody", "whoever"}
#: Names that belong to the installation's contract, whatever they say.
CONTRACT_NAMES = {"STORM_THRESHOLD", "storm_threshold", "NOBODY"}
#: Stored codes and query values, which stay as they are.
CONTRACT_CODES = (
    r"\bstorm:|\(storm\|limit\)|(?:notifies|value) ?==? ?[\"']nobody[\"']|off: the failure it ends was told to nobody"
)
#: Folders and files whose words are not rewritten yet. Must be empty.
FOLDERS_NOT_CLEAN_YET: set[str] = set()

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs", "ops/bench/RESULTS.md")
OPERATING_DOCUMENTS = ("ops/configuration.md", "ops/decisions.md", "ops/runbook.md")
LEAVES = ("charsets.py", "faults.py", "guard.py", "host_names.py", "redaction.py")
COMMANDS = ("Makefile", "Procfile", "setup.cfg", "pyproject.toml", ".ci/run")
FOLDERS = (
    *("actors/alerts", "actors/checks", "actors/probes", "actors/runtime", "actors/verdicts", "actors/*.py"),
    *("migrations", "models/connections", "models/queries", "models/rules", "models/secrets", "models/tables"),
    *("notifications", "ops", "scheduling", "settings", "web/*.py", "web/http", "web/api", "web/ui", "web/live"),
    *("web/pings", "web/services", "web/features", "web/templates", "web/static", "tests"),
)
PLACES = (*DOCUMENTS, *OPERATING_DOCUMENTS, *LEAVES, *COMMANDS, *FOLDERS)
#: Where a string is read by users.
_READ_BY_USERS = ("web", "notifications")
_SUFFIXES = {".py", ".md", ".html", ".txt", ".js", ".css", ".ini", ".mako", ".cfg", ".toml", ""}
_WORDS = {re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE): instead for pattern, instead in WORDS.items()}
_OLD_TEXTS = {re.compile(rf"\b{re.escape(text)}\b"): instead for text, instead in OLD_TEXTS.items()}
_CODE = re.compile(rf"^```.*?^```|`[^`\n]+`|{CONTRACT_CODES}", re.MULTILINE | re.DOTALL)
_PARTS_OF_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Passage(NamedTuple):
    """A piece of text and the line on which it begins."""

    line: int
    text: str
    is_string: bool = False


def files_in(place: str) -> list[Path]:
    """Return the files of a place: one file, a glob pattern, or a folder with all that it contains."""
    path = ROOT / place
    if path.is_file():
        return [path]
    files = path.rglob("*") if path.is_dir() else ROOT.glob(place)
    return sorted(
        file for file in files if file.is_file() and file.suffix in _SUFFIXES and file != Path(__file__).resolve()
    )


def passages_of_python(source: str) -> Iterator[Passage]:
    """Yield the comments, docstrings and sentences of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Passage(token.start[0], token.string)
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        # A string without a blank is a key or an identifier.
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield Passage(node.lineno, node.value, is_string=id(node) not in docstrings)


def passages_of(path: Path) -> Iterator[Passage]:
    """Yield every passage of prose in a file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from passages_of_python(source)
    else:
        yield Passage(1, source, is_string=path.suffix in {".html", ".txt", ".js"})


def sins_of(path: Path) -> Iterator[str]:
    """Yield `file:line: word -> better word` for each banned word, text and name of a file."""
    name = path.relative_to(ROOT)
    read_by_users = name.parts[0] in _READ_BY_USERS
    for passage in passages_of(path):
        # Blanked out, not cut out: the count of lines stays right.
        text = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), passage.text)
        patterns = _WORDS | _OLD_TEXTS if passage.is_string and read_by_users else _WORDS
        for pattern, instead in patterns.items():
            for match in pattern.finditer(text):
                line = passage.line + text.count("\n", 0, match.start())
                yield f"{name}:{line}: {match[0]!r} -> {instead}"
    if path.suffix == ".py":
        yield from sins_of_names(path)


def sins_of_names(path: Path) -> Iterator[str]:
    """Yield the banned words of a file's identifiers, each identifier once."""
    seen = set(CONTRACT_NAMES)
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.NAME and token.string not in seen:
                seen.add(token.string)
                allowed = ALLOWED_IN_TEST_NAMES if token.string.startswith("test_") else set()
                for part in {word.lower() for word in _PARTS_OF_NAME.findall(token.string)} - allowed:
                    if instead := OLD_NAMES.get(part):
                        yield f"{path.relative_to(ROOT)}:{token.start[0]}: {token.string} -> {instead}"


@pytest.mark.parametrize("place", PLACES)
def test_words_texts_and_names_are_those_of_the_field(place: str) -> None:
    if place in FOLDERS_NOT_CLEAN_YET:
        pytest.skip("not rewritten yet")
    assert [sin for path in files_in(place) for sin in sins_of(path)] == []


def test_every_place_has_files() -> None:
    assert [place for place in PLACES if not files_in(place)] == []


def test_every_python_file_belongs_to_a_place() -> None:
    covered = {path for place in PLACES for path in files_in(place)}
    roots = {place.partition("/")[0] for place in FOLDERS}
    files = {path for root in roots for path in (ROOT / root).rglob("*.py") if path.stat().st_size}
    assert files - covered <= {Path(__file__).resolve()}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('"""Whoever is told."""', ["Whoever", "told"]),
        ("x = 1  # Looked at afresh.", ["afresh"]),
        ('x = "It is mended for ever."', ["for ever", "mended"]),
        ('x = "told"', []),
        ('"""The column `told` is not prose."""', []),
    ],
)
def test_the_check_finds_words_in_docstrings_comments_and_sentences(source: str, words: list[str]) -> None:
    texts = [_CODE.sub("", passage.text) for passage in passages_of_python(source + "\n")]
    found = [match[0] for text in texts for pattern in _WORDS for match in pattern.finditer(text)]
    assert sorted(found) == sorted(words)


def test_the_check_reads_names_word_by_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    module = tmp_path / "module.py"
    module.write_text("class StormWarning: pass\nbrainstorming = 1\nHUSHED_AT = 2\n")
    assert [sin.split(" -> ")[0] for sin in sins_of_names(module)] == [
        "module.py:1: StormWarning",
        "module.py:3: HUSHED_AT",
    ]
