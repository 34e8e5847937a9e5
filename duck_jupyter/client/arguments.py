"""
How the pickler reduces the arguments of one request.
"""

from __future__ import annotations

import io
import sys
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from ..errors import DataEncodeError
from ..protocol.exceptions import reduce_by_value
from ..protocol.iterators import iterator_of, read_to_the_end
from ..protocol.references import resolve
from ..protocol.values import dumps

if TYPE_CHECKING:
    from .exchanges import Exchanges

__all__ = ["Arguments"]

#: From Python 3.12 on, pickling itertools warns; from 3.14 on it fails.
PICKLES_ITERTOOLS = sys.version_info < (3, 12)


class Arguments:
    """
    Reduces the arguments of one request for a pickler.

    Pickling may start again with cloudpickle, but an iterator can be read only once. So
    this keeps the items that were read.

    Args:
        link: The link that sends the arguments.
    """

    __slots__ = ("_link", "_read")

    def __init__(self, link: Exchanges) -> None:
        self._link = link
        #: Iterators by their id, each with the pickles of its items.
        self._read: dict[int, tuple[Any, list[bytes]]] = {}

    def reduce(self, value: Any) -> Any:
        """
        Return the reduced form of a value: the hook of `values.dumps`.

        Raises:
            DataTooBigError: The items of an iterator exceed the limit of a message.
            ReadingFailed: An iterator raised.
        """
        kind = type(value)
        if hasattr(kind, "__next__") and not hasattr(kind, "_duck_token"):
            return self._reduce_iterator(value, kind)
        return self._reduce_other(value)

    def _reduce_other(self, value: Any) -> Any:
        token = getattr(type(value), "_duck_token", None)
        if token is not None:
            token = token(value, self._link)
            if token is not None:
                return resolve, (token,)
        return reduce_by_value(value)

    def _reduce_strictly(self, value: Any) -> Any:
        if _is_always_read(type(value)):
            raise TypeError(
                f"An argument of type {type(value).__name__} cannot be pickled as part "
                "of another value."
            )
        return self._reduce_other(value)

    def _reduce_iterator(self, value: Any, kind: type) -> Any:
        found = self._read.get(id(value))
        if found is None:
            if self._can_be_pickled(value, kind):
                return NotImplemented
            limit = self._link.max_message
            found = value, read_to_the_end(value, self._pickle_item, limit)
            self._read[id(value)] = found
        return iterator_of, (found[1],)

    def _pickle_item(self, item: Any) -> bytes:
        # What the item itself holds is kept only while the item is pickled.
        return dumps(item, Arguments(self._link).reduce)

    def _can_be_pickled(self, value: Any, kind: type) -> bool:
        """
        Return whether an iterator, with everything that it holds, can be pickled.

        An object that holds an iterator that must be read is read as a whole: a ``map``
        over a generator returns the mapped items.
        """
        if _is_always_read(kind):
            return False
        if isinstance(value, io.IOBase) and not value.readable():
            return True  # pickle raises the right error
        try:
            dumps(value, self._reduce_strictly)
        except DataEncodeError:
            return False
        return True


def _is_always_read(kind: type) -> bool:
    if kind is GeneratorType:
        return True
    return kind.__module__ == "itertools" and not PICKLES_ITERTOOLS
