"""
Things to hand over, and what arrives in their place.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Box",
    "Handed",
    "fetch_back",
    "give",
    "give_back",
    "give_class",
    "give_start",
    "lies_in_a_file",
    "look_at_array",
    "look_at_start",
    "look_within",
    "refuse",
    "start_with",
]

#: What a worker was started with.
_start: list[Any] = []


class Handed(NamedTuple):
    """
    What a worker finds where an object was handed over.
    """

    name: str


class Box:
    """
    Something of a class of its own.
    """

    def __init__(self, content: Any) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box) and other.content == self.content

    __hash__ = None  # type: ignore[assignment]


def give(name: str) -> Callable[[], tuple[Any, tuple[str]]]:
    """
    Give what `Handover.add` wants for an object that goes as ``Handed(name)``.
    """
    return partial(_reduction, name)


def _reduction(name: str) -> tuple[Any, tuple[str]]:
    return Handed, (name,)


def refuse() -> Any:
    """
    Fail to hand something over.
    """
    from duck_jupyter.errors import DataEncodeError

    raise DataEncodeError("'box' holds a lock at box.lock")


def give_back(obj: Any) -> Any:
    """
    Return what came, as a worker's function.
    """
    return obj


def give_class(obj: Any) -> str:
    """
    Name the class of what came, as a worker's function.
    """
    return type(obj).__name__


def start_with(obj: Any) -> None:
    """
    Remember what a worker is started with.
    """
    _start[:] = [obj]


def give_start(_: Any = None) -> Any:
    """
    Return what this worker was started with.
    """
    return _start[0]


def look_at_array(array: Any) -> tuple[str, float, bool]:
    """
    Say of an array, as a worker's function, what it is, its sum, and if it is mapped.

    Then write to it, which nobody else may notice.
    """
    total = float(array.sum())
    array[0] = 1e9
    return type(array).__name__, total, lies_in_a_file(array)


def look_within(holder: dict[str, list[Any]]) -> tuple[str, float, bool]:
    """
    Do the same with the array in ``{"list": [array]}``.
    """
    return look_at_array(holder["list"][0])


def look_at_start(_: Any) -> tuple[str, float, bool]:
    """
    Do the same with what this worker was started with.
    """
    return look_at_array(_start[0])


def lies_in_a_file(array: Any) -> bool:
    """
    Tell whether an array lies in a file that is mapped, whatever its name was.
    """
    address = array.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(x, 16) for x in line.split()[0].split("-"))
        if start <= address < end:
            return "(deleted)" in line
    return False


def fetch_back(proxy: Any) -> Any:
    """
    Fetch an object and return it, as itself and within others.
    """
    from duck_jupyter import fetch

    found = fetch(proxy)
    return found, {"list": [found]}
