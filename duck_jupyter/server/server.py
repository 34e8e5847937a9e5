"""
ProxyServer: serves objects of this process to workers on the same machine.

::

    worker process                     this process
    ┌───────────────────────┐          ┌──────────────────────────────────────────┐
    │ thread ── Channel ────┼── lane ──┼─ Connection ─┐                           │
    │ thread ── Channel ────┼── lane ──┼─ Connection ─┴─ Loop ── Dispatcher ── table
    └───────────────────────┘ + socket │     counters   (threads)    │            │
                                       │                    Control: the server   │
                                       └──────────────────────────────────────────┘

A lane is created by the first call of a client thread, and is freed with its process.
So the number of descriptors depends on the number of client threads, not of objects.
"""

from __future__ import annotations

import atexit
import os
import secrets
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from ..client.proxy import Proxy, make_proxy, rooted_proxy
from ..client.registry import end_here, link_here
from ..errors import NotShareable, ProxyClosed
from ..memory.blocks import unlink_named
from ..objects.awaitables import end_loop
from ..objects.exports import Exports
from ..objects.locks import ObjectLocks
from ..objects.policy import (
    DEFAULT_BUFSIZE,
    DEFAULT_MAX_CHAIN,
    DEFAULT_MAX_MESSAGE,
    check_bufsize,
    check_max_chain,
    checked_policy,
)
from ..objects.publishing import Publisher
from ..objects.table import ObjectTable
from ..stats.collector import Reader
from ..stats.error_log import ErrorLog
from ..stats.words import state_in_words
from ..stats.workers import WorkerLog
from ..transport.rendezvous import Doorway
from .clients import Clients
from .control import Desk
from .dispatch import Dispatcher
from .local import Here
from .manual_frames import AnswersByHand
from .serving import Serving
from .waits import list_waits

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.shared_memory import SharedMemory

    from typing_extensions import Self

    from ..client.link import Link
    from ..data.inplace import Inplace
    from ..protocol.references import ObjectRef
    from ..stats.rows import ServerStatistics
    from .connections import Connection

__all__ = ["ProxyServer"]

SECRET_BYTES = 16

_servers: weakref.WeakSet[ProxyServer] = weakref.WeakSet()


class ProxyServer(AnswersByHand):
    """
    Serves objects of this process to workers of the same user on the same machine.

    The code that creates it closes it. It is a context manager, which also runs it.

    Args:
        bufsize: Size in bytes of one client thread's buffer. A larger frame is sent
            outside the buffer, which is slower.
        max_chain: The highest level of a proxy; a shared object has level 0.
        max_message: The largest message in bytes, inside or outside a buffer.

    Raises:
        NotShareable: A setting is out of range.
    """

    def __init__(
        self,
        bufsize: int = DEFAULT_BUFSIZE,
        *,
        max_chain: int = DEFAULT_MAX_CHAIN,
        max_message: int = DEFAULT_MAX_MESSAGE,
    ) -> None:
        check_bufsize(bufsize)
        check_max_chain(max_chain)
        self.bufsize = bufsize
        self.max_chain = max_chain
        self.max_message: int = max(max_message, bufsize)
        self.table: ObjectTable = ObjectTable()
        self.errors: ErrorLog = ErrorLog()
        self.locks: ObjectLocks = ObjectLocks()
        self.workers: WorkerLog = WorkerLog()
        self.since: float = time.time()
        self.publisher: Publisher = Publisher(self.table)
        self.clients: Clients = Clients(self.locks)
        self.desk: Desk = Desk(
            self.table,
            self.locks,
            self.clients,
            self.publisher,
            lambda connection: self._start().loop.pause(connection),
            lambda connection: self._start().answer_lock(connection),
            self._own_block_name,
        )
        self.exports: Exports = Exports(self.table, lambda: self._link)
        self._dispatcher = Dispatcher(self.table, self.errors, self.desk, self.exports)
        self._lock = threading.Lock()
        self._block: SharedMemory | None = None
        self._serving: Serving | None = None
        self._link: Link | None = None
        self._closed = False
        self._reader = Reader()
        _servers.add(self)

    @property
    def running(self) -> bool:
        """
        Whether workers can reach the server.
        """
        return self._serving is not None and not self._closed

    @property
    def link(self) -> Link:
        """
        This process's link to the server.

        Raises:
            ProxyClosed: The server is not running.
        """
        if self._link is None or self._closed:
            raise ProxyClosed(
                "The server was closed."
                if self._closed
                else "The server is not running: call run() before create_proxy()."
            )
        return self._link

    def run(self, threaded: bool = True) -> None:
        """
        Start serving; if the server is running, do nothing.

        Args:
            threaded: Serve in threads of its own and return at once. Otherwise the
                calling thread serves, until another thread calls `close`.

        Raises:
            ProxyClosed: The server was closed.
        """
        with self._lock:
            if self._closed:
                raise ProxyClosed("The server was closed. Create a new one.")
            is_new = self._serving is None
            serving = self._start()
            if is_new and threaded:
                serving.loop.start()
        if threaded:
            return
        try:
            serving.loop.run()
        finally:
            self.close()

    def _start(self) -> Serving:
        if self._serving is not None:
            return self._serving
        secret = secrets.token_bytes(SECRET_BYTES)
        doorway = Doorway(secret, self.bufsize, self.max_message)
        serving = Serving(
            doorway,
            self._dispatcher,
            self.table,
            self.locks,
            self.clients,
            self.errors,
            self.workers,
        )
        # First: another thread takes the server for running once it serves.
        self._link = link_here(doorway.address, secret, make_proxy, Here(self))
        atexit.register(self.close)
        self._serving = serving
        return serving

    def close(self) -> None:
        """
        Stop serving; workers that wait get `KernelGone`. Repeated calls do nothing.

        A call in progress continues, without an answer.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        if self._link is not None:
            end_here(self._link)
        if self._serving is not None:
            self._serving.close()
        self.publisher.close()
        if self._block is not None:
            unlink_named(self._block)
        if not any(server.running for server in _servers):
            end_loop()

    def __enter__(self) -> Self:
        self.run()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        clients = {connection.hello.client for connection in self.connections()}
        entries = list(self.table.entries.values())
        objects = sum(entry.row == entry.idx for entry in entries)
        state = state_in_words(objects, len(clients), self.running)
        return f"<ProxyServer {'closed' if self._closed else state}>"

    def after_fork(self) -> None:
        """
        In a forked child, drop what belongs to the parent.
        """
        self._lock = threading.Lock()
        self._closed = True
        # Another thread may have been reading at the fork.
        self._reader = Reader()
        self.publisher.after_fork()
        if self._serving is not None:
            self._serving.after_fork()

    def create_proxy(
        self,
        target_object: Any,
        shared_memory: SharedMemory | None = None,
        *,
        name: str | None = None,
        bufsize: int | None = None,
        max_chain: int | None = None,
        readonly: bool = False,
        allow: Iterable[str] | None = None,
        frozen: bool = False,
        line: str = "",
    ) -> Proxy:
        """
        Share an object; nothing is copied.

        Args:
            target_object: Any object. The same object with the same settings gets an
                equal proxy.
            shared_memory: A block for manual frames; the server's own by default.
            name: The name of the object in messages and in the monitor.
            bufsize: Size in bytes of the buffer for its calls; the server's by default.
            max_chain: The highest level of a proxy that is reached through this one.
            readonly: Refuse calls that may change the object, or objects reached
                through it.
            allow: The only names that may be used; with `readonly`, these names are
                allowed as well.
            frozen: The object will not change: `fetch` returns it as it was at first.
            line: The line that shares it with these settings, except `readonly` and
                `allow`; messages add to it. ``%share NAME`` by default.

        Raises:
            ProxyClosed: The server is not running.
            NotShareable: A setting is not valid.
        """
        link = self.link
        policy = checked_policy(
            name or type(target_object).__name__,
            self.bufsize if bufsize is None else bufsize,
            self.max_chain if max_chain is None else max_chain,
            readonly,
            allow,
            frozen,
            name is not None,
            line,
        )
        self._start().doorway.allow(policy.bufsize)
        entry = self.table.add(target_object, policy)
        block_name = None if shared_memory is None else shared_memory.name
        return rooted_proxy(link, self.table.reference(entry), block_name)

    def reference_to(self, idx: int, target_obj: Any) -> ObjectRef:
        """
        Return the reference of an object in the table.

        Raises:
            ProxyObjectNotFound: The table does not have it under this number.
        """
        entry = self.table.get(idx)
        if entry.target is not target_obj:
            raise NotShareable(f"Number {idx} is not the number of the given object.")
        return self.table.reference(entry)

    def remove_proxy(self, proxy: Proxy) -> None:
        """
        Stop sharing an object; its proxies then raise `ProxyObjectNotFound`.
        """
        self.table.remove(proxy._duck_idx)
        self.publisher.sweep()

    def retarget(self, proxy: Proxy, target_object: Any) -> Proxy:
        """
        Give a shared name another object, for all its proxies.

        Returns:
            A proxy with the special methods of the new object.
        """
        entry = self.table.aim(proxy._duck_idx, target_object)
        self.publisher.renew(entry.idx)
        return rooted_proxy(self.link, self.table.reference(entry), None)

    def move(self, proxy: Proxy, inplace: Inplace) -> None:
        """
        Note that a proxy's object is itself in shared memory.
        """
        self.publisher.put(self.table.get(proxy._duck_idx), inplace)

    def reduced(self, proxy: Proxy, target: Any) -> Any:
        """
        Return the reduced form of the object of a proxy, for a pickler.

        Args:
            proxy: The proxy.
            target: The object; the proxy may have another one by now.

        Returns:
            A callable and its arguments: called in any process of this user, it returns
            the present object. NotImplemented if the object must be pickled as usual.

        Raises:
            ProxyError: The object cannot be published.
        """
        entry = self.table.entries.get(proxy._duck_idx)
        if entry is None or entry.target is not target:
            # Another thread has just unshared it, or replaced it.
            return NotImplemented
        return self.publisher.reduced(entry, target)

    def statistics(self) -> ServerStatistics:
        """
        Return all counters of the server as one immutable value.
        """
        waits = list_waits(self.locks, self.connections(), self.table, self.clients)
        return self._reader.read(self, waits)

    def reset_peaks(self, idx: int | None = None) -> None:
        """
        Reset the largest frames: `ObjectRow.peak` starts again.

        Args:
            idx: The number of the object; all of them by default.
        """
        self.table.reset_peaks(idx)
        for connection in self.connections():
            connection.tally.reset_peaks(idx)

    def connections(self) -> list[Connection]:
        """
        Return the connections of the client threads.
        """
        return [] if self._serving is None else list(self._serving.connections)

    def busy_delay(self) -> float | None:
        """
        Return the longest delay of a client in the last two seconds, in seconds.
        """
        return None if self._serving is None else self._serving.loop.busy_delay()

    def wake(self) -> None:
        """
        Let a thread of the server clean up. Safe in ``__del__``.
        """
        if self._serving is not None:
            self._serving.loop.wake()


def _after_fork_in_child() -> None:
    for server in list(_servers):
        server.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
