"""
What is run: CPython's test modules, and the classes whose objects are to be proxies.
"""

from __future__ import annotations

import array
import collections
import functools
import importlib
import io
import queue
import random
import unittest
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import foreign, managed, synchronized
from .loading import load_with
from .stand_ins import real_of, stand_in_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["SUITES", "Suite", "cases_of"]

#: The kinds of objects that cannot be pickled, so that the station makes them.
MADE_THERE = {
    queue.LifoQueue,
    queue.PriorityQueue,
    queue.Queue,
    queue.SimpleQueue,
    random.SystemRandom,
}


@dataclass(frozen=True)
class Suite:
    """
    Tests that are counted together.

    Args:
        name: What it is called in the table.
        to_reach: Per cent of what passes on local objects that must pass on proxies.
        module: The test module.
        own_builtins: The builtins that are replaced in the module.
        imported: The classes that are replaced where the module imports them.
        attributes: The classes that are replaced as attributes of a test class.
        displays: ``d = {}`` makes an object under test as well.
        without: Beginnings of the names of test classes that are left out.
        build: Makes the test classes where no module is to be loaded.
        from_sdist: The tests are those of another library, in its sdist.
    """

    name: str
    to_reach: int
    module: str = ""
    own_builtins: tuple[type, ...] = ()
    imported: tuple[type, ...] = ()
    attributes: Mapping[str, type] = field(default_factory=dict)
    displays: bool = False
    without: tuple[str, ...] = ()
    build: Callable[[bool], list[type[unittest.TestCase]]] | None = None
    from_sdist: bool = False


SUITES = (
    Suite("list", 95, "test.test_list", (list,)),
    Suite(
        "dict",
        95,
        "test.test_dict",
        (dict,),
        displays=True,
        without=("CAPITest",),
    ),
    Suite("set", 95, "test.test_set", (set, frozenset)),
    Suite("deque", 95, "test.test_deque", imported=(collections.deque,)),
    Suite(
        "OrderedDict",
        90,
        "test.test_ordered_dict",
        imported=(collections.OrderedDict,),
        attributes={"CPythonBuiltinDictTests.OrderedDict": dict},
        without=("PurePython", "PySimple"),
    ),
    Suite(
        "defaultdict",
        90,
        "test.test_defaultdict",
        imported=(collections.defaultdict,),
    ),
    Suite("UserDict", 90, "test.test_userdict", imported=(collections.UserDict,)),
    Suite("UserList", 90, "test.test_userlist", imported=(collections.UserList,)),
    Suite(
        "queue",
        100,
        "test.test_queue",
        imported=(
            queue.Queue,
            queue.LifoQueue,
            queue.PriorityQueue,
            queue.SimpleQueue,
        ),
        without=("Py",),
    ),
    Suite(
        "bytes",
        97,
        "test.test_bytes",
        (bytearray,),
        attributes={"BytesTest.type2test": bytes, "BytesAsStringTest.type2test": bytes},
    ),
    Suite("array", 90, "test.test_array", imported=(array.array,)),
    Suite(
        "memoryio",
        80,
        "test.test_memoryio",
        imported=(io.BytesIO, io.StringIO),
        without=("Py",),
    ),
    Suite(
        "random",
        90,
        "test.test_random",
        imported=(random.Random, random.SystemRandom),
    ),
    Suite("locks", 100, build=synchronized.build),
    Suite("managers", 95, build=managed.build),
    Suite("wrapt", 92, build=foreign.build_wrapt, from_sdist=True),
    Suite("lazy", 92, build=foreign.build_lazy_object_proxy, from_sdist=True),
)


def cases_of(suite: Suite, *, on_proxies: bool) -> list[unittest.TestCase]:
    """
    Load a suite and list its tests, always in the same order.

    Args:
        suite: The suite.
        on_proxies: What is tested are proxies. A `Station` must be there by now.
    """
    if suite.build is not None:
        classes: Iterable[type[unittest.TestCase]] = suite.build(on_proxies)
    else:
        classes = _load(suite, on_proxies)
    loader = unittest.TestLoader()
    return [
        case
        for kind in classes
        if not kind.__name__.startswith(suite.without or "\0")
        for case in (kind(name) for name in loader.getTestCaseNames(kind))
    ]


def _load(suite: Suite, on_proxies: bool) -> list[type[unittest.TestCase]]:
    if not on_proxies:
        return _test_classes(importlib.import_module(suite.module))
    imported: dict[str, dict[str, Any]] = {}
    for real in suite.imported:
        names = imported.setdefault(_home_of(real), {})
        names[real.__name__] = stand_in_for(real, made_there=real in MADE_THERE)
    own = {real.__name__: stand_in_for(real) for real in suite.own_builtins}
    module = load_with(suite.module, own, imported, displays=suite.displays)
    return [_adapted(kind, suite) for kind in _test_classes(module)]


def _home_of(real: type) -> str:
    """
    Give the module that people import a class from.
    """
    return {"_queue": "queue", "_io": "io"}.get(real.__module__, real.__module__)


def _test_classes(module: Any) -> list[type[unittest.TestCase]]:
    return [
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, unittest.TestCase)
        and found.__module__ == module.__name__
    ]


def _adapted(kind: Any, suite: Suite) -> Any:
    """
    Set the attributes of a test class, and let a stand-in be the same as its class.
    """
    for path, real in suite.attributes.items():
        owner, _, attribute = path.partition(".")
        if owner == kind.__name__:
            setattr(kind, attribute, stand_in_for(real))
    for name in ("assertIs", "assertIsNot"):
        setattr(kind, name, _by_real_class(getattr(unittest.TestCase, name)))
    return kind


def _by_real_class(check: Any) -> Any:
    @functools.wraps(check)
    def checked(self: Any, first: Any, second: Any, message: Any = None) -> None:
        check(self, real_of(first), real_of(second), message)

    return checked
