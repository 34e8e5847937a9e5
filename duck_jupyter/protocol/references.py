"""
References: are sent in place of objects that stay in the kernel.

Inside a pickle a reference is a call of `resolve`. The code that unpickles sets the
meaning of references with `resolving`.
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

#: Not the number of an object: calls to it are to the server itself.
DESK = 0
#: Extension codes of a reference, and of the mark of a method of the requested object.
REF = 2
METHOD = 3
#: The content of a METHOD extension: every object of the type has the method; this
#: object has it; or it is not a method, but the requested object itself.
OF_TYPE = b"t"
OF_OBJECT = b"o"
SELF = b"s"

TYPE_NAME_CHARS = 60


class ObjectRef(NamedTuple):
    """
    The data that a proxy needs about its object.
    """

    idx: int
    #: Steps from the shared object: 0 for the shared object itself.
    level: int
    #: Number of the object's type in its server: a method of one object is a method of
    #: every object of this type.
    type_id: int
    #: The special methods and traits of the type, one bit for each; see
    #: `protocol.special_methods`.
    specials: bytes
    type_name: str


class MethodMark:
    """
    An answer that means: a method, call it by its name. Or: the object itself.
    """

    __slots__ = ("of_type",)

    def __init__(self, *, of_type: bool) -> None:
        #: Whether every object of the type has it, so no other request is needed.
        self.of_type: bool = of_type


class _Current(threading.local):
    resolver: Callable[[Any], Any] | None = None


_current = _Current()


def resolve(token: Any) -> Any:
    """
    Return the object that a token in a pickle stands for in this process.

    Args:
        token: The token that the other side's pickler put in the object's place.

    Raises:
        DataDecodeError: This thread is not decoding a frame.
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
    Resolve the references in pickles that this thread loads with `resolver`.
    """
    before = _current.resolver
    _current.resolver = resolver
    try:
        yield
    finally:
        _current.resolver = before
