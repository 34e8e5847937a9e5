"""
Which values are sent by the kernel as copies, and not as proxies.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import sys
import types
import uuid
from types import NoneType
from typing import Any

from .main_module import is_of_main
from .values import PLAIN_TYPES

__all__ = [
    "VALUE_TYPES",
    "is_importable",
    "pickles_alone",
    "travels_by_value",
]

CONTAINER_TYPES = frozenset({list, tuple, dict, set, frozenset})
#: They have no name to import them by, but pickle can encode them.
SINGLETON_TYPES = frozenset({NoneType, type(Ellipsis), type(NotImplemented)})
#: The other values of pandas are dates or times.
PANDAS_VALUES = frozenset({"NAType", "Period", "Interval"})
VALUE_TYPES = frozenset(
    {
        *PLAIN_TYPES,
        *CONTAINER_TYPES,
        bytearray,
        complex,
        range,
        slice,
        type(Ellipsis),
        type(NotImplemented),
        decimal.Decimal,
        fractions.Fraction,
        uuid.UUID,
    }
)
VALUE_BASES = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    datetime.tzinfo,
    pathlib.PurePath,
    enum.Enum,
    BaseException,
)


def travels_by_value(value: Any) -> bool:
    """
    Return whether the kernel sends a value as a copy, and not as a proxy.

    The items of a list, tuple, dict or set are checked when they are pickled.
    """
    kind = type(value)
    if kind in VALUE_TYPES:
        return True
    if isinstance(value, VALUE_BASES):
        return True
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return all(map(_holds_only_values, value))
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return (kind is type and value in SINGLETON_TYPES) or is_importable(value)
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is not None and parameters.frozen:
        fields = dataclasses.fields(value)
        return all(_holds_only_values(getattr(value, f.name, None)) for f in fields)
    if kind.__name__ in PANDAS_VALUES:
        return str(kind.__module__).startswith("pandas")
    numpy: Any = sys.modules.get("numpy")
    # A scalar is pickled with its dtype.
    return numpy is not None and isinstance(value, (numpy.generic, numpy.dtype))


def pickles_alone(value: Any) -> bool:
    """
    Return whether no part of a value that is sent by value can be a reference.

    A time zone or a pandas timestamp is rebuilt by a method of its class; this method
    alone would become a reference.
    """
    kind = type(value)
    if isinstance(value, BaseException) or kind in VALUE_TYPES:
        return False
    functions = (types.FunctionType, types.BuiltinFunctionType)
    return kind not in functions and kind.__module__ != "numpy"


def _holds_only_values(value: Any) -> bool:
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return all(map(_holds_only_values, value))
    if kind is dict:
        return all(map(_holds_only_values, value.values()))
    return travels_by_value(value)


def is_importable(value: Any) -> bool:
    """
    Return whether another process can import a class or function by its name.
    """
    module = getattr(value, "__module__", None)
    found: Any = sys.modules.get(module) if isinstance(module, str) else None
    if found is None or is_of_main(value):
        return False
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is value
