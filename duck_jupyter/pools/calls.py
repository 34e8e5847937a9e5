"""
Short texts of calls with their arguments, for messages.
"""

from __future__ import annotations

import reprlib
from typing import Any

from ..protocol.escaping import printable
from .tasks import is_chunk, name_of

__all__ = ["batch_of", "short_call", "short_value"]

#: Characters of one argument, and of all.
MOST_OF_ONE = 40
MOST_OF_ALL = 160


class _Short(reprlib.Repr):
    """
    Writes plain values, and only the class of others: a ``repr`` may take seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = MOST_OF_ONE
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = 3
        self.maxlevel = 2

    def repr_instance(self, x: Any, level: int) -> str:
        if type(x) in (bool, type(None), complex):
            return repr(x)
        if isinstance(x, type) or callable(x):
            return str(getattr(x, "__qualname__", type(x).__name__))
        return _summary(x)

    def repr1(self, x: Any, level: int) -> str:
        if type(x) is float:
            return repr(x)
        kind = type(x).__name__
        is_plain = type(x).__module__ == "builtins" and hasattr(self, f"repr_{kind}")
        return super().repr1(x, level) if is_plain else self.repr_instance(x, level)


def _summary(x: Any) -> str:
    try:
        shape = type(x).shape.__get__(x)
        size = " " + " x ".join(f"{length:,}" for length in shape)
    except Exception:  # any property of any class: then it has no shape for us
        size = ""
    return f"<{type(x).__name__}{size}>"


_short = _Short()


def short_value(value: Any) -> str:
    """
    Write a value in short; only plain values run their ``repr``.
    """
    return _short.repr(value)


def short_call(
    function: Any, args: Any, kwargs: dict[str, Any], item: int = -1, of: str = ""
) -> str:
    """
    Write a call as its caller would.

    Args:
        function: The function; also a partial, a chunk of a map or a batch of joblib.
        args: Its arguments; the items of a chunk.
        kwargs: Its keyword arguments.
        item: The present item of a chunk, from 0; -1 if it is not known.
        of: "map" or "starmap" if it is a chunk.

    Returns:
        Such as ``score('UA', 7)``, or of a chunk ``one of score(0) to score(24)``.
    """
    name = name_of(function)
    if is_chunk(function):
        of, args, kwargs = "starmap", args[0], {}
    items = getattr(batch_of(function), "items", None)
    if items is not None:
        (_, args, kwargs), of = items[0], ""
        first, last = (_written(name, x[1], x[2]) for x in (items[0], items[-1]))
        return first if len(items) == 1 else f"one of {first} to {last}"
    if not of:
        return _written(name, args, kwargs)
    if 0 <= item < len(args):
        return _one(name, args[item], of)
    if len(args) == 1:
        return _one(name, args[0], of)
    return f"one of {_one(name, args[0], of)} to {_one(name, args[-1], of)}"


def batch_of(function: Any) -> Any:
    """
    Return joblib's batch of calls, or None.
    """
    inner = getattr(function, "func", None)
    for found in (function, inner):
        if type(found).__name__ == "BatchedCalls":
            return found
    return None


def _one(name: str, item: Any, of: str) -> str:
    try:
        return _written(name, tuple(item) if of == "starmap" else (item,), {})
    except TypeError:
        # An item of a starmap that is none: which is what the error is about.
        return _written(name, (item,), {})


def _written(name: str, args: Any, kwargs: dict[str, Any]) -> str:
    words = [_short.repr(arg) for arg in args]
    words += [f"{key}={_short.repr(value)}" for key, value in kwargs.items()]
    text = ", ".join(words)
    if len(text) > MOST_OF_ALL:
        text = text[: MOST_OF_ALL - 1] + "…"
    return f"{name}({printable(text)})"
