"""
Changes that would be lost: of copies that a worker gets, and drops with the statement.

A list, dict, set or bytearray comes by value. Where the expression that asks for it is
the base of a change and of nothing else, as in ``shared.cfg["n"]["x"] = 1``, nobody can
ever see the change. Each place in the code is looked at once and then remembered.
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

#: What they give belongs to the caller alone: in the kernel too, a change of it is
#: seen by nobody.
TAKING = frozenset({"copy", "pop", "popitem", "popleft"})
#: They change nothing, or were asked for what they would give.
HARMLESS = frozenset({"get", "setdefault"})

READ = int(ProxyOpCode.GET)
OWN_FOLDER = str(Path(__file__).parent) + os.sep
#: So many places are remembered; then they are looked at anew.
MOST_PLACES = 10_000

#: Of code of this package: it asks for its own caller.
_THROUGH: Any = object()
#: By the number of the code, which is kept beside so that the number stays its own, and
#: the offset in it. A place that loses nothing is None.
_places: dict[tuple[int, int], tuple[CodeType, Any]] = {}


def refuse_lost(frame: FrameType, how: str, name: str, value: Any) -> None:
    """
    Refuse to hand out a copy whose change would be lost.

    Args:
        frame: The caller of the proxy.
        how: `GET`, `ITEM` or `CALL`.
        name: The attribute or method that was asked for; ``""`` for an item.
        value: What came, of one of `MUTABLE_TYPES`.

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
    Refuse a ``setdefault`` before it is sent: `refuse_lost` for what it would give.

    Args:
        frame: The caller of the proxy's method.
        link: The way to the server.
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
        return  # the call itself says what is wrong with it
    refuse_lost(frame, CALL, "setdefault", value)


def getitem_of_defaultdict(usual: Callable[..., Any]) -> Callable[..., Any]:
    """
    Make a ``__getitem__`` that refuses an item before the item is made.

    Args:
        usual: The one of all proxies.
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
    Give the item of a ``defaultdict``, or what it would be; None if it is unknown.
    """
    try:
        value = link.execute(idx, "get", (key,))
        if value is not None:
            return value
        factory = link.send(READ, (idx, "default_factory"))
    except (AccessDenied, AttributeError, TypeError):
        return None  # the question itself says what is wrong with it
    # By identity: a factory may be a proxy, which is not to be compared.
    return next((kind() for kind in MUTABLE_TYPES if kind is factory), None)


class _Asking(NamedTuple):
    """
    Who asks for a value that is changed and dropped.
    """

    frame: FrameType
    place: Place


def _find(frame: FrameType | None, how: str, name: str) -> _Asking | None:
    """
    Find the place that asks, behind the code of this package.
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
            # Code in C may ask for other things on its way.
            is_it = place is not None and (place.how, place.name) == (how, name)
            return _Asking(frame, place) if is_it and name not in TAKING else None
        frame = frame.f_back
    return None


def _is_lost(value: Any, steps: Sequence[Step], change: str) -> bool:
    """
    Say whether a change of a copy, or of what lies in it, is lost.

    It is not where what is changed may be a proxy that lies in the copy, and where
    Python itself will say that there is no such item or method.
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
    Give what a step may lead to.
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
        f"`{quoted.statement}` would change a copy of a {kind} and drop it: what a "
        f"proxy gives of a {kind} is a copy. Write `{quoted.instead}`, with "
        f"`from duck_jupyter import ref`.{ran}"
    )
