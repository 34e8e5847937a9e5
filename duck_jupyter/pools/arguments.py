"""
The arguments of a task in a few characters, made in the worker.

No code of the user runs: objects of other classes than builtin ones are their type, and
those of libraries of data their shape.
"""

from __future__ import annotations

import types
from typing import Any

from ..protocol.escaping import printable

__all__ = ["MOST", "short_arguments"]

#: Characters of all arguments, and of one string.
MOST = 40
MOST_OF_STRING = 16
#: Items of a container.
MOST_ITEMS = 3
#: Libraries whose properties may be read.
LIBRARIES = frozenset({"numpy", "pandas", "polars", "pyarrow"})
_SHAPED_BY_C = (types.GetSetDescriptorType, types.MemberDescriptorType)
_PLAIN = frozenset({int, float, complex, bool, type(None)})
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("{", "}"),
}


def short_arguments(args: Any, kwargs: dict[str, Any]) -> str:
    """
    Write arguments as a call has them, as ``'UA', 7`` or ``depth=8, lr=0.03``.
    """
    words, size = [], 0
    for name, value in (*((("", each)) for each in args), *kwargs.items()):
        word = _short(value, 2)
        words.append(f"{name}={word}" if name else word)
        size += len(words[-1]) + 2
        if size > MOST + 2:
            break
    text = printable(", ".join(words))
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


def _short(value: Any, depth: int) -> str:
    kind = type(value)
    if kind in _PLAIN:
        # A very large integer takes long to write, and Python may refuse to.
        if kind is int and value.bit_length() > 4 * MOST:
            return f"int({value.bit_length():,} bits)"
        return repr(value)
    if kind is str or kind is bytes:
        if len(value) <= MOST_OF_STRING:
            return repr(value)
        end = "…" if kind is str else b"..."
        return repr(value[: MOST_OF_STRING - len(end)] + end)
    if kind in _BRACKETS or kind is dict:
        if depth and len(value) <= MOST_ITEMS:
            return _items(value, kind, depth - 1)
        return f"{kind.__name__}({len(value):,})"
    if kind in (types.FunctionType, types.BuiltinFunctionType, type):
        return str(value.__name__)
    return f"{kind.__name__}{_shape(value, kind)}"


def _items(value: Any, kind: type, depth: int) -> str:
    if kind is dict:
        pairs = [f"{_short(k, depth)}: {_short(v, depth)}" for k, v in value.items()]
        return f"{{{', '.join(pairs)}}}"
    opens, closes = _BRACKETS[kind]
    if not value and opens == "{":
        return f"{kind.__name__}()"
    if len(value) == 1 and kind is tuple:
        return f"({_short(value[0], depth)},)"
    return opens + ", ".join(_short(each, depth) for each in value) + closes


def _shape(value: Any, kind: type) -> str:
    found: Any = None
    for base in kind.__mro__:
        found = vars(base).get("shape")
        if found is not None:
            break
    is_of_library = kind.__module__.partition(".")[0] in LIBRARIES
    if type(found) not in _SHAPED_BY_C and not (is_of_library and found is not None):
        return "()" if found is None else ""
    try:
        return f"({', '.join(str(length) for length in found.__get__(value, kind))})"
    except Exception:  # a library's own, on an object that is not complete
        return ""
