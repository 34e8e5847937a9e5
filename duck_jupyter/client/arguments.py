"""
The arguments of one request, as its pickler sees them.
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

#: Later ones warn of it, and from 3.14 on it fails.
PICKLES_ITERTOOLS = sys.version_info < (3, 12)


class Arguments:
    """
    What a pickler is told of the arguments of one request.

    A pickler may begin anew, with cloudpickle, and an iterator can be read only once.
    So what was read is kept here.

    Args:
        link: The way that they are sent.
    """

    __slots__ = ("_link", "_read")

    def __init__(self, link: Exchanges) -> None:
        self._link = link
        #: Iterators by their id, each with the pickles of its items.
        self._read: dict[int, tuple[Any, list[bytes]]] = {}

    def reduce(self, value: Any) -> Any:
        """
        Give the reduced form of a value: the hook of `values.dumps`.

        Raises:
            DataTooBigError: An iterator gives more than a message may take.
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
            raise TypeError(f"a {type(value).__name__} is not pickled")
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
        # What an item holds is kept no longer than it takes to pickle it.
        return dumps(item, Arguments(self._link).reduce)

    def _can_be_pickled(self, value: Any, kind: type) -> bool:
        """
        Say whether an iterator goes as it is, with all that it is made of.

        What holds an iterator that has to be read is read as a whole: a ``map`` over a
        generator gives what it makes of the items.
        """
        if _is_always_read(kind):
            return False
        if isinstance(value, io.IOBase) and not value.readable():
            return True  # it says itself that it cannot be
        try:
            dumps(value, self._reduce_strictly)
        except DataEncodeError:
            return False
        return True


def _is_always_read(kind: type) -> bool:
    if kind is GeneratorType:
        return True
    return kind.__module__ == "itertools" and not PICKLES_ITERTOOLS
