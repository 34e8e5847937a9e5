"""
A summary of an object: one line of limited length, made in limited time.

``DataFrame, 336,776 rows × 19 columns``, ``dict {'a': 3, 'duck': 2, …}``. For types
that are known to answer at once, it has the shape; for containers, the first items. All
other text comes from the object's own ``__repr__``, which may be slow, wait for a lock
or raise: a separate thread calls it, and the wait is at most `ASK_S`.
"""  # noqa: RUF002 - a multiplication sign

from __future__ import annotations

import collections
import sys
import threading
from itertools import islice
from typing import Any

from ..protocol.escaping import printable
from ..protocol.references import TYPE_NAME_CHARS
from ..stats.text import exact, many

__all__ = ["shaped_type", "summary_of"]

#: The time limit for an object's text, in seconds.
ASK_S = 0.2
#: The number of threads that may wait for objects; above it no ``__repr__`` is called.
MOST_ASKING = 4
MOST_ITEMS = 4
MOST_DEPTH = 2
ITEM_CHARS = 30
TEXT_CHARS = 80

#: Types whose shape is read with the library's own property.
_SHAPED = {
    "numpy": ("ndarray",),
    "pandas": ("DataFrame", "Series", "Index"),
    "polars": ("DataFrame", "Series"),
    "pyarrow": ("Table",),
}
#: Containers by their brackets. The methods of these types are called, even for a
#: subclass.
_BRACKETS: dict[type, str] = {
    list: "[]",
    tuple: "()",
    set: "{}",
    frozenset: "{}",
    collections.deque: "[]",
}

_asking: list[threading.Thread] = []


def summary_of(target: Any) -> str:
    """
    Return a description of an object in one line. Nothing is raised.

    Control characters are escaped, because names and texts may hold any character.
    """
    return printable(_summary_of(target))


def _summary_of(target: Any) -> str:
    kind = type(target)
    name = kind.__name__[:TYPE_NAME_CHARS]
    shape = _shape_in_words(target)
    if shape:
        return f"{name}, {shape}"
    own: Any = kind.__repr__
    if own is object.__repr__:
        return name
    text = _asked(target)
    if not text:
        return name
    return text if text.lstrip("<").startswith(name) else f"{name} {text}"


def shaped_type(kind: type) -> Any:
    """
    Return the array or table type that a type is or inherits from, or None.
    """
    for library, names in _SHAPED.items():
        # If the library was never imported, there is no object of it.
        module = sys.modules.get(library)
        for name in names if module is not None else ():
            shaped = getattr(module, name, None)
            if isinstance(shaped, type) and issubclass(kind, shaped):
                return shaped
    return None


def _shape_in_words(target: Any) -> str:
    shaped = shaped_type(type(target))
    if shaped is None:
        return ""
    try:
        shape = shaped.shape.__get__(target, type(target))
        if shaped.__name__ == "ndarray":
            dtype = shaped.dtype.__get__(target, type(target))
            sizes = " × ".join(exact(size) for size in shape)  # noqa: RUF001
            return f"{sizes} of {dtype}"[:TEXT_CHARS] if sizes else f"0-d of {dtype}"
        units = ("row", "column")[: len(shape)]
        return " × ".join(  # noqa: RUF001
            many(size, unit) for size, unit in zip(shape, units, strict=True)
        )
    except Exception:
        # A subclass may have broken an assumption of its library's code.
        return ""


def _asked(target: Any) -> str:
    """
    Return the text of an object, or "" if it is late or fails.
    """
    _asking[:] = [thread for thread in _asking if thread.is_alive()]
    if len(_asking) >= MOST_ASKING:
        return ""
    found: list[str] = []
    done = threading.Event()

    def ask() -> None:
        try:
            found.append(_shorten(_text(target, MOST_DEPTH), TEXT_CHARS))
        except BaseException:  # __repr__ may run any code of the user
            return
        finally:
            done.set()

    thread = threading.Thread(target=ask, name="duck-summary", daemon=True)
    _asking.append(thread)
    try:
        thread.start()
    except RuntimeError:  # the system or the interpreter has no more threads
        return ""
    done.wait(ASK_S)
    return found[0] if found else ""


def _text(value: Any, depth: int) -> str:
    kind = type(value)
    if kind in (str, bytes, bytearray):
        # One more than is shown, so that it is shortened.
        return repr(value[: TEXT_CHARS + 1])
    if issubclass(kind, dict):
        return _items("{}", dict.__len__(value), _pairs(value, depth) if depth else [])
    for container, brackets in _BRACKETS.items():
        if issubclass(kind, container):
            length = container.__len__(value)  # type: ignore[attr-defined]
            if not length and brackets == "{}":
                return repr(value)
            most = MOST_ITEMS if depth else 0
            first = islice(container.__iter__(value), most)  # type: ignore[attr-defined]
            texts = [_item(part, depth) for part in first]
            return _items(brackets, length, texts)
    if shaped_type(kind) is not None:
        return f"{kind.__name__}, {_shape_in_words(value)}"
    return repr(value)


def _pairs(value: dict[Any, Any], depth: int) -> list[str]:
    # Read all pairs before their texts, because others may change the dict meanwhile.
    pairs = list(islice(dict.items(value), MOST_ITEMS))
    return [f"{_item(key, depth)}: {_item(part, depth)}" for key, part in pairs]


def _item(value: Any, depth: int) -> str:
    return _shorten(_text(value, depth - 1), ITEM_CHARS)


def _items(brackets: str, length: int, texts: list[str]) -> str:
    parts: list[str] = []
    room = TEXT_CHARS - 10
    for text in texts:
        room -= len(text) + 2
        if room < 0:
            break
        parts.append(text)
    if len(parts) < length:
        parts.append("…")
    inner = ", ".join(parts)
    comma = "," if brackets == "()" and length == 1 else ""
    return f"{brackets[0]}{inner}{comma}{brackets[1]}"


def _shorten(text: str, most: int) -> str:
    line = " ".join(text[: 4 * most].split())
    whole = len(text) <= 4 * most and len(line) <= most
    return line if whole else f"{line[: most - 1]}…"
