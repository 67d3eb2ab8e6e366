"""The layout that CONTRIBUTING.md promises: sizes, names, actors, cycles."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.features import FEATURES

ROOT = Path(__file__).parents[1]
PACKAGES = ("actors", "models", "notifications", "ops", "scheduling", "settings", "web")
MAX_LINES = 300
MAX_FUNCTION_LINES = 40
#: Files that are longer for a reason, each with the reason. The list only becomes shorter.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
#: Modules in which one file holds several small periodic actors of one subject.
SEVERAL_ACTORS = {"scheduling.upkeep", "scheduling.sweep", "scheduling.maintenance_windows", "scheduling.ping_replay"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "tools"}


def _files() -> list[Path]:
    found = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [*found, *sorted(ROOT.glob("*.py"))]


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_module(path): path for path in _files()}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in FILES.items()}


def test_no_file_is_longer_than_the_limit() -> None:
    long = {module for module, path in FILES.items() if len(path.read_text().splitlines()) > MAX_LINES}
    assert long == set(LONG_FILES)


def test_no_function_is_longer_than_the_limit() -> None:
    long = {
        f"{module}.{node.name}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _length(node) > MAX_FUNCTION_LINES
    }
    assert long == set(LONG_FUNCTIONS)


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not {module for module in FILES if module.rpartition(".")[2] in FORBIDDEN_NAMES}


def test_an_actor_has_the_name_of_its_module() -> None:
    for module, tree in TREES.items():
        names = [
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef)
            and any("dramatiq.actor" in ast.unparse(one) for one in node.decorator_list)
        ]
        if names and module not in SEVERAL_ACTORS:
            assert names == [module.rpartition(".")[2]], module


def test_every_feature_is_listed_and_has_its_modules() -> None:
    folder = ROOT / "web" / "features"
    packages = {path.name for path in folder.iterdir() if (path / "__init__.py").exists()}
    assert packages == {feature.name for feature in FEATURES}
    for feature in FEATURES:
        for module in (*feature.pages, *feature.api):
            assert (folder / feature.name / f"{module}.py").exists()


def _imports(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield the modules that `module` imports at its top level, also those for type checkers only."""
    for node in _top_level(tree.body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FILES)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in FILES:
                    yield name
                elif node.module in FILES and node.module != module:
                    yield node.module


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _top_level([*node.body, *node.orelse])


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return one cycle of `graph`, or an empty list."""
    state: dict[str, int] = {}
    path: list[str] = []

    def visit(module: str) -> list[str]:
        state[module] = 1
        path.append(module)
        for target in sorted(graph[module]):
            if state.get(target) == 1:
                return path[path.index(target) :]
            if target not in state and (found := visit(target)):
                return found
        state[module] = 2
        path.pop()
        return []

    for module in sorted(graph):
        if module not in state and (found := visit(module)):
            return found
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: set(_imports(module, tree)) for module, tree in TREES.items()}
    assert _cycle(graph) == []


@pytest.mark.parametrize(("graph", "expected"), [
    ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
    ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c"]),
])  # fmt: skip
def test_a_cycle_is_found(graph: dict[str, set[str]], expected: list[str]) -> None:
    assert _cycle(graph) == expected
