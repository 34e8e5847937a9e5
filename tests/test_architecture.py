"""
The house rules that a program can check: floors, homes of imports, sizes, docstrings.
"""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.processes import ROOT, run_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "duck_jupyter"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_LINES = 400

# From the ground up; a name is a folder or a module of the package.
FLOORS = [
    {"errors", "interrupts", "_version"},
    {"protocol", "memory"},
    {"transport", "data"},
    {"client", "stats"},
    {"objects"},
    {"server"},
    {"proxy"},
    {"session"},
    {"monitor"},
    {"magics", "cli"},
    {"__init__", "__main__"},
]
HEIGHT = {name: height for height, floor in enumerate(FLOORS) for name in floor}

# What may be imported in one house only, even inside a function.
HOMES = {
    "IPython": {"magics"},
    "anywidget": {"monitor"},
    "mmap": {"memory"},
    "prompt_toolkit": {"cli"},
    "rich": {"cli"},
    "multiprocessing.shared_memory": {"memory"},
    "traitlets": set().union(*FLOORS[HEIGHT["session"] :]),
}

# People's libraries: used when their objects come by, never to load the package.
NEVER_AT_START = {"numpy", "pandas", "polars", "pyarrow"}

# What a worker that only holds proxies must not pay for.
TOO_HEAVY_FOR_A_WORKER = {
    "IPython",
    "anywidget",
    "ipywidgets",
    "numpy",
    "pandas",
    "traitlets",
}


class Import(NamedTuple):
    """
    One imported name, and when the import happens.
    """

    target: str
    at_start: bool
    for_types: bool

    def is_of(self, package: str) -> bool:
        return f"{self.target}.".startswith(f"{package}.")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_for_types(node: ast.If) -> bool:
    return ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def walk(
    node: ast.AST, at_start: bool = True, for_types: bool = False
) -> Iterator[tuple[ast.AST, bool, bool]]:
    """
    Go through a tree, knowing what runs at import and what is for the type checker.
    """
    yield node, at_start, for_types
    function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    inner = at_start and not isinstance(node, function)
    if isinstance(node, ast.If) and is_for_types(node):
        for unseen in node.body:
            yield from walk(unseen, at_start=False, for_types=True)
        for seen in node.orelse:
            yield from walk(seen, inner, for_types)
        return
    for child in ast.iter_child_nodes(node):
        yield from walk(child, inner, for_types)


def imports_of(path: Path) -> Iterator[Import]:
    """
    List what a module imports, by full names.
    """
    here = path.relative_to(ROOT).parts[:-1]
    for node, at_start, for_types in walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            module = [*base, *(node.module or "").split(".")]
            for alias in node.names:
                target = ".".join(filter(None, [*module, alias.name]))
                yield Import(target, at_start, for_types)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, at_start, for_types)


def own_unit(target: str) -> str:
    """
    Tell which house of the package an imported name belongs to.
    """
    parts = target.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in HEIGHT else "__init__"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_stands_on_a_floor(path: Path) -> None:
    assert unit_of(path) in HEIGHT


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_its_own_house_or_what_is_below(path: Path) -> None:
    """
    Brothers do not meet; an import for types alone goes down like any other.
    """
    home = unit_of(path)
    theirs = {own_unit(x.target) for x in imports_of(path) if x.is_of("duck_jupyter")}
    wrong = {x for x in theirs if x != home and HEIGHT[x] >= HEIGHT[home]}
    assert not wrong, f"{home} must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_library_is_imported_in_its_home(path: Path) -> None:
    """
    An import for types alone does not count: a running program never sees it.
    """
    wrong = [
        found.target
        for found in imports_of(path)
        for library, homes in HOMES.items()
        if found.is_of(library) and not found.for_types and unit_of(path) not in homes
    ]
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_loads_a_data_library_at_start(path: Path) -> None:
    wrong = [
        found.target
        for found in imports_of(path)
        if found.at_start and found.target.split(".")[0] in NEVER_AT_START
    ]
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=name_of)
def test_a_file_is_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("module", ["duck_jupyter", "duck_jupyter.proxy"])
def test_a_worker_loads_nothing_heavy(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert not TOO_HEAVY_FOR_A_WORKER & set(json.loads(done.stdout))
