"""
Load one of CPython's test modules with other classes in the place of its own.

The module is executed anew from its source, with a table of builtins of its own: names
such as ``list`` and what ``import`` gives are replaced there, and nowhere else.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load_with", "shim_of"]

Names = dict[str, Any]


def shim_of(module: types.ModuleType, names: Names) -> types.ModuleType:
    """
    Copy a module's names into a new module, some of them replaced.
    """
    shim = types.ModuleType(module.__name__)
    shim.__dict__.update({**vars(module), **names})
    return shim


def load_with(
    name: str,
    own_builtins: Names,
    imported: Mapping[str, Names],
    *,
    displays: bool = False,
) -> types.ModuleType:
    """
    Execute a test module with some names replaced.

    Args:
        name: The module, such as ``test.test_list``.
        own_builtins: What builtins are replaced with, by name.
        imported: What names of imported modules are replaced with, by module.
        displays: Make assignments such as ``d = {}`` call the name ``dict``.

    Returns:
        The module, which is the one in `sys.modules` from then on.
    """
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_bytes(), spec.origin)
    if displays:
        tree = ast.fix_missing_locations(_Displays().visit(tree))
    module = importlib.util.module_from_spec(spec)
    importer = _importer(imported)
    vars(module)["__builtins__"] = {
        **vars(builtins),
        **own_builtins,
        "__import__": importer,
    }
    sys.modules[name] = module
    exec(compile(tree, spec.origin, "exec"), vars(module))
    return module


def _importer(imported: Mapping[str, Names]) -> Any:
    def fresh(name: str, *_args: Any, blocked: Any = (), **_kwargs: Any) -> Any:
        # A blocked module makes the pure-Python one, of which no objects are shared.
        if blocked:
            return helper.import_fresh_module(name, *_args, blocked=blocked, **_kwargs)
        return shim_of(importlib.import_module(name), imported.get(name, {}))

    def find(name: str, *args: Any, **kwargs: Any) -> Any:
        found = builtins.__import__(name, *args, **kwargs)
        if found.__name__ == "test.support":
            return shim_of(
                found,
                {"import_helper": shim_of(helper, {"import_fresh_module": fresh})},
            )
        names = imported.get(found.__name__)
        return found if names is None else shim_of(found, names)

    helper = importlib.import_module("test.support.import_helper")
    return find


class _Displays(ast.NodeTransformer):
    """
    Turn ``name = {...}`` into ``name = dict({...})``.
    """

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """
        Wrap the value where it is a display of a dictionary.
        """
        self.generic_visit(node)
        is_name = all(isinstance(x, ast.Name) for x in node.targets)
        if is_name and isinstance(node.value, (ast.Dict, ast.DictComp)):
            maker = ast.Name("dict", ast.Load())
            node.value = ast.Call(maker, [node.value], [])
        return node
