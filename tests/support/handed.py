"""
Things to hand over, and what arrives in their place.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Box",
    "Handed",
    "give",
    "give_back",
    "give_class",
    "give_start",
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
