"""
Lost changes: a worker changes a copy and drops it in the same statement.

A list, dict, set or bytearray is sent by value. If the expression that reads it is only
the base of a change, as in ``shared.cfg["n"]["x"] = 1``, no code can ever see the
change. Each place in the code is analysed once and then remembered.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import AccessDenied, LostChange
from ..protocol.by_value import VALUE_TYPES
from ..protocol.opcodes import ProxyOpCode
from ..protocol.values import MUTABLE_TYPES
from .caller_code import ANY, CALL, CHANGES, ITEM, Place, Step, find_change
from .statement_quoting import Quoted, quote, sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import CodeType, FrameType

    from .link import Link

__all__ = ["getitem_of_defaultdict", "refuse_lost", "refuse_lost_default"]

#: The result of these methods belongs to the caller alone: in the kernel too, no other
#: code sees a change of it.
TAKING = frozenset({"copy", "pop", "popitem", "popleft"})
#: These methods change nothing, or are called for their result.
HARMLESS = frozenset({"get", "setdefault"})

READ = int(ProxyOpCode.GET)
OWN_FOLDER = str(Path(__file__).parent) + os.sep
#: The number of places to remember; then all are analysed again.
MOST_PLACES = 10_000

#: Marks code of this package, whose caller is the place.
_THROUGH: Any = object()
#: Keyed by the id of the code and the offset in it. The code is kept in the value, so
#: that its id stays unique. A place that loses nothing is None.
_places: dict[tuple[int, int], tuple[CodeType, Any]] = {}


def refuse_lost(frame: FrameType, how: str, name: str, value: Any) -> None:
    """
    Refuse to return a copy whose change would be lost.

    Args:
        frame: The caller of the proxy.
        how: `GET`, `ITEM` or `CALL`.
        name: The attribute or method that was read; ``""`` for an item.
        value: The value, of one of `MUTABLE_TYPES`.

    Raises:
        LostChange: The caller changes the copy and drops it.
    """
    found = _places.get((id(frame.f_code), frame.f_lasti))
    if found is None or found[1] is not None:
        asking = _find(frame, how, name)
        if asking is not None and _is_lost(
            value, asking.place.steps, asking.place.change
        ):
            raise LostChange(_message(asking, value))


def refuse_lost_default(
    frame: FrameType, link: Link, idx: int, args: Sequence[Any]
) -> None:
    """
    Refuse a ``setdefault`` before it is sent, if a change of its result would be lost.

    Args:
        frame: The caller of the proxy's method.
        link: The link to the server.
        idx: The object's number.
        args: The arguments of ``setdefault``.

    Raises:
        LostChange: The caller changes the copy and drops it.
    """
    if _find(frame, CALL, "setdefault") is None:
        return
    try:
        value = link.execute(idx, "get", args)
    except (AccessDenied, AttributeError, TypeError):
        return  # the call itself raises the right error
    refuse_lost(frame, CALL, "setdefault", value)


def getitem_of_defaultdict(usual: Callable[..., Any]) -> Callable[..., Any]:
    """
    Make a ``__getitem__`` that refuses an item before the item is made.

    Args:
        usual: The method that all proxies have.
    """

    def __getitem__(self: Any, key: Any) -> Any:
        link = self._duck_link
        frame = sys._getframe(1)
        if link.server is None and _find(frame, ITEM, "") is not None:
            refuse_lost(frame, ITEM, "", _item_to_come(link, self._duck_idx, key))
        return usual(self, key)

    return __getitem__


def _item_to_come(link: Link, idx: int, key: Any) -> Any:
    """
    Return the item of a ``defaultdict``, or its future default; None if unknown.
    """
    try:
        value = link.execute(idx, "get", (key,))
        if value is not None:
            return value
        factory = link.send(READ, (idx, "default_factory"))
    except (AccessDenied, AttributeError, TypeError):
        return None  # the request itself raises the right error
    # By identity: a factory may be a proxy, which must not be compared.
    return next((kind() for kind in MUTABLE_TYPES if kind is factory), None)


class _Asking(NamedTuple):
    """
    The frame and the place that read a value, change it and drop it.
    """

    frame: FrameType
    place: Place


def _find(frame: FrameType | None, how: str, name: str) -> _Asking | None:
    """
    Find the place that reads the value, outside the code of this package.
    """
    while frame is not None:
        code, offset = frame.f_code, frame.f_lasti
        found = _places.get((id(code), offset))
        if found is None:
            place: Any = _THROUGH
            if not code.co_filename.startswith(OWN_FOLDER):
                place = find_change(code, offset, how, name)
            if len(_places) >= MOST_PLACES:
                _places.clear()
            found = _places[id(code), offset] = code, place
        place = found[1]
        if place is not _THROUGH:
            # C code may read other values in between.
            is_it = place is not None and (place.how, place.name) == (how, name)
            return _Asking(frame, place) if is_it and name not in TAKING else None
        frame = frame.f_back
    return None


def _is_lost(value: Any, steps: Sequence[Step], change: str) -> bool:
    """
    Return whether a change of a copy, or of what lies in it, is lost.

    It is not lost if the changed object may be a proxy inside the copy, or if Python
    itself will raise an error because there is no such item or method.
    """
    kind = type(value)
    if not steps:
        return change in CHANGES.get(kind, ()) or (
            not change and kind in MUTABLE_TYPES and kind is not set
        )
    step, *rest = steps
    parts = list(_parts(value, step))
    if step.method == "setdefault" and not parts:
        return True
    if any(type(part) not in VALUE_TYPES for part in parts):
        return False
    return any(_is_lost(part, rest, change) for part in parts)


def _parts(value: Any, step: Step) -> Iterable[Any]:
    """
    Return the values that a step may lead to.
    """
    if type(value) is dict:
        if step.key is ANY:
            return value.values()
    elif type(value) not in (list, tuple) or step.method:
        return ()
    elif step.key is ANY:
        return value  # type: ignore[no-any-return]
    try:
        return (value[step.key],)
    except (LookupError, TypeError):
        return ()


def _message(asking: _Asking, value: Any) -> str:
    frame, place = asking
    code = frame.f_code
    quoted = quote(code, frame.f_lasti, frame.f_lineno, frame.f_globals, place)
    if quoted is None:
        quoted = Quoted(f"line {frame.f_lineno} of {code.co_filename}", sketch(place))
    kind = type(value).__name__
    ran = ""
    if place.how == CALL and place.name not in HARMLESS:
        ran = f" {place.name}() itself has run."
    return (
        f"`{quoted.statement}` would change a copy of a {kind} and then drop the copy: "
        f"a proxy returns a {kind} as a copy. Write `{quoted.instead}`, with `from "
        f"duck_jupyter import ref`.{ran}"
    )
