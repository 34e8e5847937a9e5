"""
The tests of other libraries' proxies, wrapt and lazy-object-proxy, from their sdists.

What they call to make a proxy gives the object itself, or its proxy in another process.
So what tests their own interfaces fails on the object, and is not counted.
"""

from __future__ import annotations

import inspect
import os
import sys
import tarfile
import types
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .stand_ins import placed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FOLDER_VARIABLE",
    "REQUIREMENTS",
    "build_lazy_object_proxy",
    "build_wrapt",
]

#: The folder of the sdists.
FOLDER_VARIABLE = "CONFORMANCE_SDISTS"
#: What names them and their versions, as pip reads it.
REQUIREMENTS = "tests/conformance/sdists.txt"
LAZY_FIXTURE = "lazy_object_proxy"


def build_wrapt(on_proxies: bool) -> list[type[unittest.TestCase]]:
    """
    Make the test classes of wrapt's object proxy.

    Args:
        on_proxies: What is tested are proxies, in place of objects.
    """
    wrap = placed if on_proxies else _itself
    shim = types.ModuleType("wrapt")
    for name in ("BaseObjectProxy", "ObjectProxy", "CallableObjectProxy"):
        setattr(shim, name, wrap)
    found = _execute("wrapt", "tests/core/test_object_proxy.py", {"wrapt": shim})
    return [
        kind
        for kind in found.values()
        if isinstance(kind, type) and issubclass(kind, unittest.TestCase)
    ]


def build_lazy_object_proxy(on_proxies: bool) -> list[type[unittest.TestCase]]:
    """
    Make a test class of lazy-object-proxy's test functions.

    Args:
        on_proxies: What is tested are proxies, in place of objects.
    """
    wrap = placed if on_proxies else _itself
    shim = types.SimpleNamespace(
        Proxy=lambda factory: wrap(factory()), kind="simple", subclass=False
    )
    compat = types.ModuleType("compat")
    vars(compat).update(PY2=False, PY3=True, exec_=exec)
    found = _execute(
        "lazy_object_proxy", "tests/test_lazy_object_proxy.py", {"compat": compat}
    )
    tests = {
        name: _method(function, shim)
        for name, function in found.items()
        if name.startswith("test_") and _takes_only_the_fixture(function)
    }
    return [type("LazyObjectProxy", (unittest.TestCase,), tests)]


def _itself(value: Any) -> Any:
    return value


def _takes_only_the_fixture(function: Any) -> bool:
    return list(inspect.signature(function).parameters) == [LAZY_FIXTURE]


def _method(function: Callable[[Any], None], shim: Any) -> Callable[[Any], None]:
    def method(self: Any) -> None:
        function(shim)

    return method


def _execute(
    library: str, path: str, modules: dict[str, types.ModuleType]
) -> dict[str, Any]:
    """
    Execute a file of an sdist, and give its names.

    It is in no module that another process could import, so that what it defines goes
    there by value.
    """
    folder = Path(os.environ[FOLDER_VARIABLE])
    (sdist,) = folder.glob(f"{library.replace('_', '?')}-*.tar.gz")
    with tarfile.open(sdist) as archive:
        root = sdist.name.removesuffix(".tar.gz")
        file = archive.extractfile(f"{root}/{path}")
        assert file is not None
        source = file.read()
    space: dict[str, Any] = {"__name__": f"tests_of_{library}"}
    sys.modules.update(modules)
    try:
        exec(compile(source, f"{root}/{path}", "exec"), space)
    finally:
        for name in modules:
            del sys.modules[name]
    _set_docstrings_anew(space["objects"])
    return space


def _set_docstrings_anew(module: types.ModuleType) -> None:
    """
    Let no class of a module share the very string with its base.

    Of a class that goes by value, cloudpickle leaves out what is its base's.
    """
    for kind in vars(module).values():
        if isinstance(kind, type) and kind.__doc__:
            kind.__doc__ = "".join(list(kind.__doc__))
