"""
Calls to the server itself: EXECUTE frames for the object of number 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data.attach import encoded
from ..errors import DataDecodeError
from .operations import call_method, get_attribute, take

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .callers import Caller
    from .locks import ObjectLocks
    from .objects import Entry, ObjectTable
    from .publishing import Publisher

__all__ = ["Desk"]


class Desk:
    """
    The words that a client may say to the server itself.

    Args:
        table: The objects.
        locks: Their locks.
        publisher: Gives them as values.
        block_name: Gives the name of the server's own block.
    """

    def __init__(
        self,
        table: ObjectTable,
        locks: ObjectLocks,
        publisher: Publisher,
        block_name: Callable[[], str],
    ) -> None:
        self._table = table
        self._locks = locks
        self._publisher = publisher
        self._block_name = block_name

    def answer(self, caller: Caller, word: str, args: Sequence[Any]) -> Any:
        """
        Do what a word says that gives a plain value.

        Raises:
            DataDecodeError: There is no such word.
            ProxyError: It cannot be done.
        """
        holder = caller.hello.client
        if word == "release":
            return self._table.release(args, holder)
        if word == "lend":
            return self._table.lend(*args)
        if word == "adopt":
            (idx,) = args
            return self._table.adopt(idx, holder)
        if word == "lock":
            idx, timeout = args
            entry = self._table.get(idx)
            return self._locks.acquire(
                entry.target, caller.owner, entry.path, timeout, lambda: caller.gone
            )
        if word == "unlock":
            entry = self._table.get(*args)
            return self._locks.release(entry.target, caller.owner, entry.path)
        if word == "fetch":
            return encoded(self._publisher.fetch(self._table.get(*args)))
        if word == "block_name":
            return self._block_name()
        raise DataDecodeError(f"The server knows no word {word!r}.")

    def batch(self, caller: Caller, idx: int, count: int) -> tuple[int, list[Any]]:
        """
        Take the next items of an iterator that `ObjectTable.add_iterator` keeps.

        Returns:
            Its number, or 0 when it is used up; and the items.
        """
        entry = self._table.get(idx)
        try:
            items = take(entry, count)
        except BaseException:
            self._table.release([idx], caller.hello.client)
            raise
        if len(items) == count or entry.raises:
            return idx, items
        self._table.release([idx], caller.hello.client)
        return 0, items

    def reference(
        self, caller: Caller, idx: int, how: str, name: str, args: Any, kwargs: Any
    ) -> tuple[Entry, str, Any]:
        """
        Do what `ref` wants: whatever it gives is to be a reference.

        Returns:
            The object that was asked, the step from it, and what it led to.
        """
        entry = self._table.get(idx)
        if how == "get":
            return entry, f".{name}", get_attribute(entry, name)
        step = "[]" if name == "__getitem__" else f".{name}()"
        return entry, step, call_method(entry, name, args, kwargs)
