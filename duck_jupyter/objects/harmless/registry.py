"""
Which methods of a type are known to leave its object unchanged.
"""

from __future__ import annotations

import weakref
from types import BuiltinMethodType, MethodType, MethodWrapperType, ModuleType
from typing import Any

from ...protocol.special_methods import BINARY
from . import (
    arrow_types,
    builtin_types,
    numpy_types,
    pandas_types,
    polars_types,
    standard_types,
)
from .groups import LOOKS, Table
from .missing import inserts_what_is_missing

__all__ = [
    "FRESH_ITERATORS",
    "METHOD_TYPES",
    "TABLES",
    "is_bound_method",
    "is_harmless",
]

#: Keyed by the first part of the name of the module that defines the type.
TABLES: dict[str, Table] = {
    "builtins": builtin_types.TABLE,
    "numpy": numpy_types.TABLE,
    "pandas": pandas_types.TABLE,
    "polars": polars_types.TABLE,
    "pyarrow": arrow_types.TABLE,
    **standard_types.TABLES,
}
#: Types of bound methods: of Python, of C, and special methods of C.
METHOD_TYPES = frozenset({MethodType, BuiltinMethodType, MethodWrapperType})
#: Methods whose iterator belongs to the caller: taking its items changes nothing else.
FRESH_ITERATORS = frozenset(
    {
        *("elements", "finditer", "itercolumns", "iterchunks", "items", "iterrows"),
        *("iter_columns", "iter_rows", "iter_slices", "itertuples"),
    }
)
#: For ChainMap and UserDict, whose items come from the mappings in them.
_ITEMS_OF_OTHERS = frozenset({"__getitem__", "get", "items", "values"})

_known: weakref.WeakKeyDictionary[type, frozenset[str]] = weakref.WeakKeyDictionary()


def is_harmless(target: Any, name: str) -> bool:
    """
    Return whether a method is known to leave its object unchanged, with any arguments.

    Args:
        target: The object.
        name: The method, special or not.
    """
    if name[:2] == "__":
        if name in LOOKS:
            return True
        if name == "__call__" and is_bound_method(target):
            return is_harmless(target.__self__, target.__name__)
    else:
        own = getattr(target, "__dict__", None)
        if isinstance(own, dict) and name in own:
            return False  # a function of this one object
    if name not in _harmless_names(type(target)):
        return False
    return name not in _ITEMS_OF_OTHERS or not inserts_what_is_missing(target)


def is_bound_method(value: Any) -> bool:
    """
    Return whether a value is a bound method.
    """
    if type(value) not in METHOD_TYPES:
        return False
    owner = value.__self__
    return owner is not None and not isinstance(owner, ModuleType)


def _harmless_names(kind: type) -> frozenset[str]:
    names = _known.get(kind)
    if names is None:
        found = {
            name
            for base in kind.__mro__
            for name in TABLES.get(_library(base), {}).get(base.__qualname__, ())
            if _is_of(base, kind, name)
        }
        # Python's operators also try the reflected method.
        found |= {
            f"__r{name}__"
            for name in BINARY
            if f"__{name}__" in found and _is_untouched(kind, f"__r{name}__")
        }
        names = _known[kind] = frozenset(found)
    return names


def _is_of(base: type, kind: type, name: str) -> bool:
    """
    Return whether a type has the method of a base, or a method of the base's library.
    """
    definer = _definer(kind, name)
    return (
        definer is None
        or issubclass(base, definer)
        or _library(definer) == _library(base)
    )


def _is_untouched(kind: type, name: str) -> bool:
    definer = _definer(kind, name)
    return definer is None or _library(definer) in TABLES


def _definer(kind: type, name: str) -> type | None:
    return next((base for base in kind.__mro__ if name in vars(base)), None)


def _library(kind: type) -> str:
    return str(kind.__module__).partition(".")[0]
