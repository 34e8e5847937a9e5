"""
Calls to the server itself: EXECUTE frames for the object of number 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data.attach import encoded
from ..errors import DataDecodeError, DeadlockError, ProxyError
from ..objects.locks import Claim
from ..objects.operations import call_method, get_attribute, take
from ..objects.summary import summary_of
from ..objects.titles import title_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..objects.locks import ObjectLocks
    from ..objects.publishing import Publisher
    from ..objects.table import Entry, ObjectTable
    from .clients import Clients
    from .connections import Connection

__all__ = ["LATER", "Desk"]

#: There is no answer yet: the thread that ends the wait sends it.
LATER = object()
#: Of a process's threads the one that need not be named.
MAIN_THREAD = "MainThread"


class Desk:
    """
    The words that a client may say to the server itself.

    Args:
        table: The objects.
        locks: Their locks.
        clients: Who is connected.
        publisher: Gives them as values.
        pause: Called with a connection whose claim to a lock has to wait.
        tell: Called with a connection whose claim to a lock had to wait, and holds it.
        block_name: Gives the name of the server's own block.
    """

    def __init__(
        self,
        table: ObjectTable,
        locks: ObjectLocks,
        clients: Clients,
        publisher: Publisher,
        pause: Callable[[Connection], None],
        tell: Callable[[Connection], None],
        block_name: Callable[[], str],
    ) -> None:
        self._table = table
        self._locks = locks
        self._clients = clients
        self._pause = pause
        self._tell = tell
        self._publisher = publisher
        self._block_name = block_name

    def answer(self, connection: Connection, word: str, args: Sequence[Any]) -> Any:
        """
        Do what a word says that gives a plain value.

        Raises:
            DataDecodeError: There is no such word.
            ProxyError: It cannot be done.
        """
        holder = connection.hello.client
        if word == "release":
            connection.tidies = True
            return self._table.release(args, holder)
        if word == "lend":
            return self._table.lend(*args)
        if word == "adopt":
            (idx,) = args
            self._table.adopt(idx, holder)
            connection.grants.append(lambda: self._table.release([idx], holder))
            return None
        if word == "lock":
            return self._lock(connection, *args)
        if word == "unlock":
            return self._unlock(connection, *args)
        if word == "holder":
            return self._holder(connection, *args)
        if word == "end":
            connection.tidies = True
            for number in args:
                self._clients.end_block(connection.thread.process, number)
            return None
        if word == "fetch":
            return self._fetch(connection, *args)
        if word == "has":
            idx, name = args
            return hasattr(self._table.get(idx).target, name)
        if word == "block_name":
            return self._block_name()
        if word == "summary":
            return self._summary(*args)
        raise DataDecodeError(f"The server knows no word {word!r}.")

    def _fetch(self, connection: Connection, idx: int) -> bytes:
        lent = self._publisher.fetch(self._table.get(idx))
        connection.grants.append(lent.give_up)
        connection.lent.append(lent.give_up)
        return encoded(lent.handle)

    def _lock(self, connection: Connection, idx: int, number: int) -> Any:
        entry = self._table.get(idx)
        claims = connection.thread.process.claims
        if type(number) is not int or number in claims:
            raise DataDecodeError(f"There is a block of number {number!r} already.")
        thread = connection.thread
        claim = Claim(
            entry,
            thread,
            _name_of(connection),
            lambda: self._pause(connection),
            lambda: self._tell(connection),
        )
        claims[number] = claim
        connection.grants.append(lambda: self._give_up(claims, number))
        try:
            acquired = self._locks.acquire(claim)
        except DeadlockError:
            connection.grants.clear()
            claims.pop(number, None)
            raise
        if claims.get(number) is not claim:
            self._locks.end(claim)  # the client went, and it was given up too early
        return None if acquired else LATER

    def _holder(self, connection: Connection, idx: int) -> tuple[str, str]:
        """
        Name an object for messages, and who holds its lock: nobody is "".
        """
        entry = self._table.get(idx)
        claim = self._locks.holder_of(entry.target)
        if claim is None or claim.owner is connection.thread:
            return title_of(entry), ""
        return title_of(entry), claim.worker

    def _give_up(self, claims: dict[int, Claim], number: int) -> None:
        claim = claims.pop(number, None)
        if claim is not None:
            self._locks.end(claim)

    def _unlock(self, connection: Connection, idx: int, number: int = 0) -> None:
        claims = connection.thread.process.claims
        claim = claims.get(number)
        if claim is None or claim.owner is not connection.thread:
            path = self._table.get(idx).path
            raise ProxyError(f"This thread does not hold the lock of {path}.")
        claims.pop(number, None)
        self._locks.end(claim)

    def _summary(self, idx: int) -> tuple[str, str] | None:
        """
        Say what an object is and how it was reached, for people.

        Returns:
            None where there is no such object: nobody is to read of it in the log.
        """
        entry = self._table.entries.get(idx)
        return None if entry is None else (summary_of(entry.target), entry.path)

    def batch(
        self, connection: Connection, idx: int, count: int
    ) -> tuple[int, list[Any]]:
        """
        Take the next items of an iterator that `ObjectTable.add_iterator` keeps.

        Returns:
            Its number, or 0 when it is used up; and the items.
        """
        entry = self._table.get(idx)
        try:
            items = take(entry, count)
        except BaseException:
            self._table.release([idx], connection.hello.client)
            raise
        if len(items) == count or entry.raises:
            return idx, items
        self._table.release([idx], connection.hello.client)
        return 0, items

    def reference(
        self,
        connection: Connection,
        idx: int,
        how: str,
        name: str,
        args: Any,
        kwargs: Any,
    ) -> tuple[Entry, str, Any]:
        """
        Do what `ref` wants: whatever it gives is to be a reference.

        Args:
            connection: Who asks.
            idx: The number of the object.
            how: "get" for an attribute, "call" for a call, "method" for a call of whose
                results only those are to be references that would come as copies.
            name: The attribute or method.
            args: Positional arguments.
            kwargs: Keyword arguments.

        Returns:
            The object that was asked, the step from it, and what it led to.
        """
        entry = self._table.get(idx)
        if how == "get":
            return entry, f".{name}", get_attribute(entry, name)
        step = "[]" if name == "__getitem__" else f".{name}()"
        return entry, step, call_method(entry, name, args, kwargs)


def _name_of(connection: Connection) -> str:
    hello = connection.hello
    if hello.thread_name == MAIN_THREAD:
        return connection.thread.name
    return f"{hello.process_name} (pid {hello.pid}, thread {hello.thread_name})"
