"""
References: what crosses in place of an object that stays in the kernel.

Inside a pickle a reference is a call of `resolve`; who is unpickling says, by
`resolving`, what its references mean.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DataDecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "DESK",
    "METHOD",
    "OF_OBJECT",
    "OF_TYPE",
    "REF",
    "SELF",
    "TYPE_NAME_CHARS",
    "MethodMark",
    "ObjectRef",
    "resolve",
    "resolving",
]

#: The number of no object: calls to it are to the server itself.
DESK = 0
#: Extension codes: a reference; and what stands for a method of the asked object.
REF = 2
METHOD = 3
#: What a METHOD extension holds: every object of the type has the method; this one
#: has it; it is no method, but the asked object itself.
OF_TYPE = b"t"
OF_OBJECT = b"o"
SELF = b"s"

TYPE_NAME_CHARS = 60


class ObjectRef(NamedTuple):
    """
    All that a proxy needs to know of its object.
    """

    idx: int
    #: Steps from the shared object: 0 for that object itself.
    level: int
    #: Number of the object's type in its server: what is a method of one object
    #: is a method of every object of this type.
    type_id: int
    #: Which special methods and traits the type has, a bit for each; see
    #: `protocol.special`.
    specials: bytes
    type_name: str


class MethodMark:
    """
    The answer that says: it is a method, call it by its name. Or: the object itself.
    """

    __slots__ = ("of_type",)

    def __init__(self, *, of_type: bool) -> None:
        #: Every object of the type has it, so nobody need ask again.
        self.of_type: bool = of_type


class _Current(threading.local):
    resolver: Callable[[Any], Any] | None = None


_current = _Current()


def resolve(token: Any) -> Any:
    """
    Give what a token in a pickle stands for on this side.

    Args:
        token: What the other side's pickler put in the object's place.

    Raises:
        DataDecodeError: Nobody is unpickling a frame in this thread.
    """
    if _current.resolver is None:
        raise DataDecodeError(
            "This pickle holds a reference that is valid only inside a frame between "
            "a worker and its kernel."
        )
    return _current.resolver(token)


@contextmanager
def resolving(resolver: Callable[[Any], Any]) -> Iterator[None]:
    """
    Let references in pickles that this thread loads mean what `resolver` says.
    """
    before = _current.resolver
    _current.resolver = resolver
    try:
        yield
    finally:
        _current.resolver = before
