"""
Requests to the server itself: EXECUTE frames for object number 0.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Protocol

from ..data.attach import encoded
from ..errors import DataDecodeError, DeadlockError, KernelGone, ProxyError
from ..objects.claims import Claim
from ..objects.operations import call_method, get_attribute, take
from ..objects.summary import summary_of
from ..objects.titles import title_of
from ..transport.handshake import worker_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..objects.locks import ObjectLocks
    from ..objects.publishing import Publisher
    from ..objects.table import Entry, ObjectTable
    from .clients import Clients
    from .connections import Connection

__all__ = ["LATER", "Desk", "EngineDesk"]

#: There is no answer yet: the thread that ends the wait sends it.
LATER = object()
#: The name of a process's main thread, which messages leave out.
MAIN_THREAD = "MainThread"


class EngineDesk(Protocol):
    """
    Answers requests of an engine's workers.
    """

    def answer(self, sender: str, request: bytes) -> bytes:
        """
        Answer a request.

        Args:
            sender: The process that sent it.
            request: The request.
        """

    def left(self, sender: str) -> None:
        """
        Note that a process which has sent requests is disconnected.
        """


class Desk:
    """
    The requests that a client may make to the server itself.

    Args:
        table: The objects.
        locks: Their locks.
        clients: The connected clients.
        publisher: Publishes them as values.
        pause: Called with a connection whose claim to a lock must wait.
        tell: Called with a connection whose claim had to wait, and now holds the lock.
        block_name: Returns the name of the server's own block.
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
        #: The engines whose workers send requests by live calls, by name.
        self.engines: weakref.WeakValueDictionary[str, EngineDesk]
        self.engines = weakref.WeakValueDictionary()

    def answer(self, connection: Connection, word: str, args: Sequence[Any]) -> Any:
        """
        Execute a request that returns a plain value.

        Raises:
            DataDecodeError: There is no such request.
            ProxyError: It failed.
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
        if word == "engine":
            return self._ask_engine(connection, *args)
        if word == "has":
            idx, name = args
            return hasattr(self._table.get(idx).target, name)
        if word == "block_name":
            return self._block_name()
        if word == "summary":
            return self._summary(*args)
        raise DataDecodeError(f"The server knows no request {word!r}.")

    def _fetch(self, connection: Connection, idx: int) -> bytes:
        lent = self._publisher.fetch(self._table.get(idx))
        connection.grants.append(lent.give_up)
        connection.lent.append(lent.give_up)
        return encoded(lent.handle)

    def _ask_engine(self, connection: Connection, name: str, request: bytes) -> bytes:
        desk, sender = self.engines.get(name), connection.hello.client
        if desk is None:
            raise KernelGone(
                "The kernel shares nothing on this cluster any more. Share the object "
                "again and submit the task again."
            )
        connection.thread.process.on_end[name] = lambda: desk.left(sender)
        return desk.answer(sender, request)

    def _lock(self, connection: Connection, idx: int, number: int) -> Any:
        entry = self._table.get(idx)
        claims = connection.thread.process.claims
        if type(number) is not int or number in claims:
            raise DataDecodeError(f"The number of a block must be new, not {number!r}.")
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
            # the client disconnected, and the claim was released too early
            self._locks.end(claim)
        return None if acquired else LATER

    def _holder(self, connection: Connection, idx: int) -> tuple[str, str]:
        """
        Return an object's name for messages, and the holder of its lock or "".
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
        Return a description of an object and its path, for people.

        Returns:
            None if there is no such object; this is not logged as an error.
        """
        entry = self._table.entries.get(idx)
        return None if entry is None else (summary_of(entry.target), entry.path)

    def batch(
        self, connection: Connection, idx: int, count: int
    ) -> tuple[int, list[Any]]:
        """
        Take the next items of an iterator that was added by `ObjectTable.add_iterator`.

        If it raises, the client releases it.

        Returns:
            Its number, or 0 if it is used up; and the items.
        """
        entry = self._table.get(idx)
        items = take(entry, count)
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
        Execute a request of `ref`: its result is sent as a reference.

        Args:
            connection: The connection that made the request.
            idx: The number of the object.
            how: "get" for an attribute, "call" for a call, "method" for a call whose
                result is a reference only if it would be sent as a copy.
            name: The attribute or method.
            args: Positional arguments.
            kwargs: Keyword arguments.

        Returns:
            The object, the step from it, and the result of the step.
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
    return worker_of(hello, hello.thread_name)
