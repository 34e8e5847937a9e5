"""
Objects that cannot be pickled, and the path to them: ``model.steps[1].lock``.

The object at which pickling stopped is known. The path to it is searched by identity,
so nothing is pickled a second time and no property of the user runs.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .members import list_members, list_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["describe_culprit", "find_path"]

#: Examining this many members takes about a second.
MOST_MEMBERS = 200_000
#: Fewer, because each may run code of the user, as pickle did.
MOST_REDUCED = 20_000
MOST_PATH_CHARACTERS = 200


class _Place(NamedTuple):
    """
    An object that was reached, and the step to it.
    """

    value: Any
    before: _Place | None
    step: str


def describe_culprit(value: Any, name: str, found: Any, error: BaseException) -> str:
    """
    Return the message: what cannot be pickled, and what to do.

    Args:
        value: The pickled object.
        name: The name of the object in messages.
        found: The object at which pickling stopped.
        error: The error of pickle.
    """
    why = f"{type(error).__name__}: {error}"
    if RecursionError in (type(error), type(error.__context__)):
        return (
            f"{name} cannot be pickled: it is nested too deeply ({why}). Raise the "
            "limit with sys.setrecursionlimit(), or store the items in a list instead "
            "of linking them."
        )
    if isinstance(found, (type, FunctionType)):
        return (
            f"{name} holds {found.__qualname__}, whose definition cannot be pickled "
            f"with the variables that it uses ({why}). Move it into a module, or pass "
            "it these variables as arguments."
        )
    path = find_path(value, found)
    what = _name_kind(type(found))
    if path is None:
        where = f"{name} holds a {what}, which cannot be pickled"
    else:
        where = f"{name}{path} is a {what}, which cannot be pickled"
    if path == "":
        return f"{where} ({why}). Use its proxy instead: its calls run in the kernel."
    return (
        f"{where} ({why}). Leave it out in __getstate__ and create it again in "
        "__setstate__, or share it under its own name (%share NAME) and put its proxy "
        "in its place."
    )


def _name_kind(kind: type) -> str:
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def find_path(value: Any, found: Any) -> str | None:
    """
    Return the path from an object to one of its members, or None if there is none.

    It is empty for the object itself.
    """
    path = _search(value, found, list_members, MOST_MEMBERS)
    if path is None:
        path = _search(value, found, list_state, MOST_REDUCED)
    if path is not None and len(path) > MOST_PATH_CHARACTERS:
        half = MOST_PATH_CHARACTERS // 2
        path = f"{path[:half]} ... {path[-half:]}"
    return path


def _search(
    value: Any,
    found: Any,
    members: Callable[[Any], Iterator[tuple[str, Any]]],
    most: int,
) -> str | None:
    """
    Search for an object, the nearest first, among at most this many members.
    """
    # keeps all objects alive, so that no id is reused
    places = [_Place(value, None, "")]
    seen = {id(value)}
    looked = 0
    for place in places:
        if place.value is found:
            return _spell(place)
        for step, member in members(place.value):
            looked += 1
            if looked > most:
                return None
            if id(member) not in seen:
                seen.add(id(member))
                places.append(_Place(member, place, step))
    return None


def _spell(place: _Place) -> str:
    steps = []
    here: _Place | None = place
    while here is not None:
        steps.append(here.step)
        here = here.before
    return "".join(reversed(steps))
