"""
Changes that would be lost: of copies that a worker gets, and drops with the statement.

A list, dict, set or bytearray comes by value. Where the expression that asks for it is
the base of a change and of nothing else, as in ``shared.cfg["n"]["x"] = 1``, nobody can
ever see the change. Each place in the code is looked at once and then remembered.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AccessDenied, LostChange
from ..protocol.opcodes import ProxyOpCode
from ..protocol.values import VALUE_TYPES
from .places import ANY, CALL, CHANGES, ITEM, Place, Step, find_change
from .quoting import quote, sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import CodeType, FrameType

    from .link import Link

__all__ = ["COPIED", "refuse_lost", "refuse_lost_default", "refuse_lost_item"]

#: The types whose values are copies that can be changed. No others are looked at.
COPIED = frozenset(CHANGES)
#: What they give belongs to the caller alone: in the kernel too, a change of it is
#: seen by nobody.
TAKING = frozenset({"copy", "get_nowait", "pop", "popitem", "popleft"})
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
_places: dict[tuple[int, int], tuple[CodeType, Place | None]] = {}


def refuse_lost(frame: FrameType, how: str, name: str, value: Any) -> None:
    """
    Refuse to hand out a copy whose change would be lost.

    Args:
        frame: The caller of the proxy.
        how: `GET`, `ITEM` or `CALL`.
        name: The attribute or method that was asked for; ``""`` for an item.
        value: What came, of one of the types in `COPIED`.

    Raises:
        LostChange: The caller changes the copy and drops it.
    """
    key = id(frame.f_code), frame.f_lasti
    found = _places.get(key)
    place = _look(frame, how, name) if found is None else found[1]
    if place is not None:
        _refuse_at(frame, place, how, name, value)


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
    if _place_of(frame, CALL, "setdefault") is None:
        return
    try:
        value = link.execute(idx, "get", args)
    except (AccessDenied, AttributeError, TypeError):
        return  # the call itself says what is wrong with it
    refuse_lost(frame, CALL, "setdefault", value)


def refuse_lost_item(frame: FrameType, link: Link, idx: int, key: Any) -> None:
    """
    Refuse an item of a ``defaultdict`` before the item is made.

    Args:
        frame: The caller of the proxy.
        link: The way to the server.
        idx: The object's number.
        key: The key of the item.

    Raises:
        LostChange: The caller changes the copy and drops it.
    """
    if _place_of(frame, ITEM, "") is None:
        return
    try:
        value = link.execute(idx, "get", (key,))
        if value is None:
            factory = link.send(READ, (idx, "default_factory"))
            # By identity: a factory may be a proxy, which is not to be compared.
            value = next((kind() for kind in COPIED if kind is factory), None)
    except (AccessDenied, AttributeError, TypeError):
        return  # the question itself says what is wrong with it
    refuse_lost(frame, ITEM, "", value)


def _place_of(frame: FrameType | None, how: str, name: str) -> Place | None:
    """
    Give what is known of the place where a frame is.
    """
    if frame is None:
        return None
    found = _places.get((id(frame.f_code), frame.f_lasti))
    place = _look(frame, how, name) if found is None else found[1]
    if place is _THROUGH:
        return _place_of(frame.f_back, how, name)
    if place is None or (place.how, place.name) != (how, name):
        return None
    return place


def _look(frame: FrameType, how: str, name: str) -> Place | None:
    """
    Look at a place, and remember what was found.
    """
    code = frame.f_code
    if code.co_filename.startswith(OWN_FOLDER):
        place = _THROUGH
    else:
        place = find_change(code, frame.f_lasti, how, name)
    if len(_places) >= MOST_PLACES:
        _places.clear()
    _places[id(code), frame.f_lasti] = code, place
    return place


def _refuse_at(
    frame: FrameType, place: Place | None, how: str, name: str, value: Any
) -> None:
    asking: FrameType | None = frame
    while place is _THROUGH and asking is not None:
        asking = asking.f_back
        place = _place_of(asking, how, name)
    if asking is None or place is None or (place.how, place.name) != (how, name):
        return
    if name in TAKING:
        return
    if _is_lost(value, place.steps, place.change):
        raise LostChange(_message(asking, place, value))


def _is_lost(value: Any, steps: Sequence[Step], change: str) -> bool:
    """
    Say whether a change of a copy, or of what lies in it, is lost.

    It is not where what is changed may be a proxy that lies in the copy, and where
    Python itself will say that there is no such item or method.
    """
    kind = type(value)
    if not steps:
        return change in CHANGES.get(kind, ()) or (
            not change and kind in COPIED and kind is not set
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
        return (value[step.key],) if step.key in value else ()
    if type(value) not in (list, tuple) or step.method:
        return ()
    if step.key is ANY:
        return value  # type: ignore[no-any-return]
    try:
        return (value[step.key],)
    except (IndexError, TypeError):
        return ()


def _message(frame: FrameType, place: Place, value: Any) -> str:
    code = frame.f_code
    quoted = quote(code, frame.f_lasti, frame.f_lineno, frame.f_globals, place)
    kind = type(value).__name__
    asked = "item" if place.how == ITEM else f"{place.name!r}"
    if quoted is None:
        where = f"Line {frame.f_lineno} of {code.co_filename}"
        instead = sketch(place)
    else:
        where, instead = f"`{quoted.statement}`", quoted.instead
    ran = ""
    if place.how == CALL and place.name not in HARMLESS:
        ran = f" {place.name}() itself has run."
    return (
        f"{where} would change a copy of a {kind} and drop it, so that the change "
        f"would be lost: {asked} comes to a worker by value. Write `{instead}` instead, "
        f"with `from duck_jupyter import ref`.{ran}"
    )
