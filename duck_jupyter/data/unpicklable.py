"""
What cannot be pickled, by the path that leads to it: ``model.steps[1].lock``.

Where pickling stopped is known; what is looked for is the way there, by identity, so
that nothing is pickled a second time and no property of the user's runs.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .members import list_members, list_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["describe_culprit", "find_path"]

#: To look at so many takes about a second.
MOST_MEMBERS = 200_000
#: Fewer where each may run code of the user's, as pickle did.
MOST_REDUCED = 20_000
MOST_PATH_CHARACTERS = 200


class _Place(NamedTuple):
    """
    An object that was met, and how.
    """

    value: Any
    before: _Place | None
    step: str


def describe_culprit(value: Any, name: str, found: Any, error: BaseException) -> str:
    """
    Return the sentence that tells what cannot be pickled, and what to do.

    Args:
        value: What was to be pickled.
        name: What messages call it.
        found: The object at which pickling stopped.
        error: What pickle said.
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
    Return the path from an object to one that it holds, or None where there is none.

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
    Look for an object, the nearest first, among so many members and no more.
    """
    places = [_Place(value, None, "")]  # holds on to all, so that no id comes twice
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
