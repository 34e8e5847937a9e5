"""
The house rules that a program can check: floors, homes of imports, sizes, docstrings.
"""

from __future__ import annotations

import ast
import json
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.covered import COVERED
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
    {"proxy", "pools", "engines"},
    {"session"},
    {"monitor"},
    {"magics", "cli"},
    {"__init__", "__main__"},
]
HEIGHT = {name: height for height, floor in enumerate(FLOORS) for name in floor}

# What may be imported in one house only, even inside a function.
HOMES = {
    "IPython": {"magics", "pools"},
    "dask": {"engines"},
    "distributed": {"engines"},
    "ray": {"engines"},
    "anywidget": {"monitor"},
    "mmap": {"memory", "pools"},
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


# Imports that would close a circle of modules, and happen when all of it is loaded.
CIRCULAR = {
    # What `shared` is in another process, looked up where it is pickled.
    ("duck_jupyter.session.shared", "duck_jupyter.session.api"),
    # How a worker pickles, looked up when it has received something of a notebook.
    ("duck_jupyter.pools.mirror", "duck_jupyter.pools.returning"),
    # What rebuilds an error in the notebook, which a worker only names.
    ("duck_jupyter.pools.failing", "duck_jupyter.pools.tracebacks"),
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


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


@cache
def imports_of(path: Path) -> list[Import]:
    """
    List what a module imports, by full names.
    """
    return list(find_imports(path))


def find_imports(path: Path) -> Iterator[Import]:
    here = path.relative_to(ROOT).parts[:-1]
    for node, at_start, for_types in walk(tree(path)):
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


def module_of(path: Path) -> str:
    """
    Give the full name of a module.
    """
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_module_stands_on_a_floor() -> None:
    assert {unit_of(path) for path in MODULES} <= HEIGHT.keys()


def test_modules_import_from_their_own_package_and_from_those_below() -> None:
    """
    Packages of one floor do not meet; an import for types alone counts as any other.
    """
    wrong = [
        f"{name_of(path)} imports {found.target}"
        for path in MODULES
        for found in imports_of(path)
        if found.is_of("duck_jupyter")
        and (theirs := own_unit(found.target)) != (home := unit_of(path))
        and HEIGHT[theirs] >= HEIGHT[home]
    ]
    assert not wrong


def test_modules_do_not_import_one_another_in_a_circle() -> None:
    """
    Imports for types and those inside of functions count too.
    """
    names = {module_of(path) for path in MODULES}
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        module = module_of(path)
        theirs = {x.target for x in imports_of(path) if x.is_of("duck_jupyter")}
        # What is imported is a module, or a name in one.
        found = {x if x in names else x.rpartition(".")[0] for x in theirs}
        graph[module] = {x for x in found if (module, x) not in CIRCULAR} - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_libraries_are_imported_in_their_homes() -> None:
    """
    An import for types alone does not count: a running program never sees it.
    """
    wrong = [
        f"{name_of(path)} imports {found.target}"
        for path in MODULES
        for found in imports_of(path)
        for library, homes in HOMES.items()
        if found.is_of(library) and not found.for_types and unit_of(path) not in homes
    ]
    assert not wrong


def test_no_module_loads_a_data_library_at_start() -> None:
    wrong = [
        f"{name_of(path)} imports {found.target}"
        for path in MODULES
        for found in imports_of(path)
        if found.at_start and found.target.split(".")[0] in NEVER_AT_START
    ]
    assert not wrong


def test_every_module_has_a_docstring() -> None:
    assert not [name_of(path) for path in MODULES if not ast.get_docstring(tree(path))]


def test_no_file_is_too_long() -> None:
    lengths = {path: len(text_of(path).splitlines()) for path in [*MODULES, *TESTS]}
    assert not {name_of(path) for path, n in lengths.items() if n > MAX_LINES}


def has_code(path: Path) -> bool:
    """
    Tell whether a module has a function or a class, and not only names of others.
    """
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) for node in ast.walk(tree(path)))


def test_every_module_has_its_tests_or_says_which_cover_it() -> None:
    wanted = {}
    for path in filter(has_code, MODULES):
        inner = path.relative_to(PACKAGE)
        own = inner.with_name(f"test_{inner.stem.strip('_')}.py")
        wanted[inner.as_posix()] = own.as_posix()
    tests = {path.relative_to(ROOT / "tests").as_posix() for path in TESTS}
    without = {module for module, own in wanted.items() if own not in tests}
    assert without == COVERED.keys()
    assert not set(COVERED.values()) - tests


@pytest.mark.slow
@pytest.mark.parametrize("module", ["duck_jupyter", "duck_jupyter.proxy"])
def test_a_worker_loads_nothing_heavy(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert not TOO_HEAVY_FOR_A_WORKER & set(json.loads(done.stdout))
