"""
Iterators that cannot be pickled: read to their end here, and iterated again there.

Each item is pickled when the iterator returns it, because a generator may change a list
or buffer and return it again. Items that cannot change are collected in batches, so
that an endless iterator takes no more memory than the limit of a message.
"""

from __future__ import annotations

import pickle
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..errors import DataTooBigError, ProxyError
from .values import PLAIN_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ReadingFailed", "iterator_of", "read_to_the_end"]

#: The size of a batch that is pickled at once: in items, and roughly in bytes.
BATCH_ITEMS = 1000
BATCH_BYTES = 64 * 1024
ITEM_BYTES = 16


class ReadingFailed(ProxyError):
    """
    An iterator raised. A pickler would try again after any other error.

    Args:
        error: The exception of the iterator.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(type(error)))
        self.error = error


class _Item:
    """
    An item that is already pickled.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self.data,)


def read_to_the_end(
    iterator: Iterator[Any], pickled: Callable[[Any], bytes], limit: int
) -> list[bytes]:
    """
    Read an iterator to its end.

    Args:
        iterator: The iterator.
        pickled: Pickles an item, or a list of items.
        limit: The largest size of its pickled items in bytes.

    Returns:
        Pickles of its items, for `iterator_of`.

    Raises:
        DataTooBigError: The items exceed the limit; the rest is not read.
        DataEncodeError: An item cannot be pickled.
        ReadingFailed: The iterator raised.
    """
    batches: list[bytes] = []
    batch: list[Any] = []
    total = gathered = 0
    ended = False
    while not ended:
        try:
            item = next(iterator)
        except StopIteration:
            ended = True
        except Exception as error:
            raise ReadingFailed(error) from error
        else:
            size = _size_of_constant(item)
            if size is None:
                item = _Item(pickled(item))
                size = len(item.data)
            batch.append(item)
            gathered += size
        if ended or gathered > BATCH_BYTES or len(batch) == BATCH_ITEMS:
            batches.append(pickled(batch))
            total += len(batches[-1])
            batch, gathered = [], 0
            if total > limit:
                raise DataTooBigError(
                    f"An iterator among the arguments returned more than {limit:,} "
                    "bytes, the limit of a message (max_message). It is read to its "
                    "end before the request is sent, so nothing was sent. Send it in "
                    "parts, such as itertools.islice(iterator, 1000), or raise the "
                    "limit of the server."
                )
    return batches


def iterator_of(batches: list[bytes]) -> Iterator[Any]:
    """
    Return an iterator over the items that `read_to_the_end` read.
    """
    # At once: references in the items can be resolved only while a frame is decoded.
    return iter(list(chain.from_iterable(map(pickle.loads, batches))))


def _size_of_constant(item: Any) -> int | None:
    """
    Return the rough size in bytes of an item that cannot change; None for others.
    """
    kind = type(item)
    if kind is str or kind is bytes:
        return len(item) + ITEM_BYTES
    if kind is int:
        return int(item.bit_length()) // 8 + ITEM_BYTES
    if kind in PLAIN_TYPES:
        return ITEM_BYTES
    if kind is tuple and all(type(part) in PLAIN_TYPES for part in item):
        return sum(_size_of_constant(part) or 0 for part in item)
    return None
