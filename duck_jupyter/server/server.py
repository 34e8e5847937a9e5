"""
ProxyServer: objects of this process, for workers on the same machine.

::

    worker process                     this process
    ┌───────────────────────┐          ┌──────────────────────────────────────────┐
    │ thread ── Channel ────┼── lane ──┼─ Connection ─┐                           │
    │ thread ── Channel ────┼── lane ──┼─ Connection ─┴─ Loop ── Dispatcher ── table
    └───────────────────────┘ + socket │     counters   (threads)    │            │
                                       │                    Control: the server   │
                                       └──────────────────────────────────────────┘

A lane is made when a client thread first calls, and goes with its process; so the
number of descriptors follows the number of client threads, not that of objects.
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
    from types import TracebackType

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

    The code that makes it closes it; it is a context manager, which also runs it.

    Args:
        bufsize: Bytes of one client thread's buffer. A larger frame travels
            beside it, which is slower and does no harm.
        max_chain: The highest level of a proxy; a shared object is of level 0.
        max_message: The largest message in bytes, wherever it travels.

    Raises:
        NotShareable: A setting cannot be.
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
        self.max_message = max(max_message, bufsize)
        self.table = ObjectTable()
        self.errors = ErrorLog()
        self.locks = ObjectLocks()
        self.workers = WorkerLog()
        self.since = time.time()
        self.publisher = Publisher(self.table)
        self.clients = Clients(self.locks)
        self.desk = Desk(
            self.table,
            self.locks,
            self.clients,
            self.publisher,
            lambda connection: self._start().loop.pause(connection),
            lambda connection: self._start().answer_lock(connection),
            self._own_block_name,
        )
        self.exports = Exports(self.table, lambda: self._link)
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
        Workers can reach the server.
        """
        return self._serving is not None and not self._closed

    @property
    def link(self) -> Link:
        """
        This process's link to the server.

        Raises:
            ProxyClosed: It does not run yet, or not any more.
        """
        if self._link is None or self._closed:
            raise ProxyClosed(
                "The server was closed."
                if self._closed
                else "The server does not run yet: call run() before create_proxy()."
            )
        return self._link

    def run(self, threaded: bool = True) -> None:
        """
        Start serving; a server that runs already goes on.

        Args:
            threaded: Serve in threads of its own and return at once. Otherwise the
                calling thread serves, until `close` is called in another one.

        Raises:
            ProxyClosed: The server was closed.
        """
        with self._lock:
            if self._closed:
                raise ProxyClosed("The server was closed; make a new one.")
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
        self._serving = Serving(
            doorway,
            self._dispatcher,
            self.table,
            self.locks,
            self.clients,
            self.errors,
            self.workers,
        )
        self._link = link_here(doorway.address, secret, make_proxy, Here(self))
        atexit.register(self.close)
        return self._serving

    def close(self) -> None:
        """
        Stop serving; workers that wait get `KernelGone`. Twice is fine.

        A call that is inside an object's method goes on, without an answer.
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        clients = {connection.hello.client for connection in self.connections()}
        state = state_in_words(len(self.table.entries), len(clients), self.running)
        return f"<ProxyServer {'closed' if self._closed else state}>"

    def after_fork(self) -> None:
        """
        In a child, give up what belongs to the parent.
        """
        self._lock = threading.Lock()
        self._closed = True
        # Another thread may have been reading.
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
        Share an object; nothing of it is copied.

        Args:
            target_object: Any object. The same one with the same settings gives an
                equal proxy.
            shared_memory: A block for frames that are written by hand; the server's
                own by default.
            name: What messages and the monitor call it.
            bufsize: Bytes of the buffer of its calls; the server's by default.
            max_chain: The highest level of a proxy reached through this one.
            readonly: Refuse what is not known to change nothing, here and in what is
                reached through it.
            allow: The only names that may be used; with `readonly`, names that may be
                used as well.
            frozen: The object will not change: `fetch` gives it as it was at first.
            line: What shares it with these settings, but for `readonly` and `allow`;
                messages add to it. ``%share NAME`` by default.

        Raises:
            ProxyClosed: The server does not run.
            NotShareable: A setting cannot be.
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
        Give the reference of an object that is in the table.

        Raises:
            ProxyObjectNotFound: It is not there under this number.
        """
        entry = self.table.get(idx)
        if entry.target is not target_obj:
            raise NotShareable(f"Number {idx} is another object than the one given.")
        return self.table.reference(entry)

    def remove_proxy(self, proxy: Proxy) -> None:
        """
        Share an object no longer; its proxies then find nothing.
        """
        self.table.remove(proxy._duck_idx)
        self.publisher.sweep()

    def retarget(self, proxy: Proxy, target_object: Any) -> Proxy:
        """
        Let a shared name stand for another object, for all its proxies.

        Returns:
            A proxy that knows the special methods of the new object.
        """
        entry = self.table.aim(proxy._duck_idx, target_object)
        self.publisher.renew(entry.idx)
        return rooted_proxy(self.link, self.table.reference(entry), None)

    def move(self, proxy: Proxy, inplace: Inplace) -> None:
        """
        Note that a proxy's object lies in shared memory itself.
        """
        self.publisher.put(self.table.get(proxy._duck_idx), inplace)

    def reduced(self, proxy: Proxy, target: Any) -> Any:
        """
        Give what a pickler is told in place of the object of a proxy.

        Args:
            proxy: The proxy.
            target: The object, which may be its object no longer.

        Returns:
            A callable and its arguments; called in any process of this user it gives
            the object as it is now. NotImplemented where it is to be pickled as ever.

        Raises:
            ProxyError: The object cannot be published.
        """
        entry = self.table.entries.get(proxy._duck_idx)
        if entry is None or entry.target is not target:
            # Another thread has just unshared it, or shared another.
            return NotImplemented
        return self.publisher.reduced(entry, target)

    def statistics(self) -> ServerStatistics:
        """
        Give all that the server has counted, as one immutable value.
        """
        return self._reader.read(self, list_waits(self))

    def reset_peaks(self, idx: int | None = None) -> None:
        """
        Forget the largest frames: `ObjectRow.peak` begins anew.

        Args:
            idx: The number of the object; all of them by default.
        """
        self.table.reset_peaks(idx)
        for connection in self.connections():
            connection.tally.reset_peaks(idx)

    def connections(self) -> list[Connection]:
        """
        Give the client threads that are connected.
        """
        return [] if self._serving is None else list(self._serving.connections)

    def busy_delay(self) -> float | None:
        """
        Give by how many seconds a caller was delayed at most in the last two seconds.
        """
        return None if self._serving is None else self._serving.loop.busy_delay()

    def wake(self) -> None:
        """
        Let a thread of the server tidy up. Safe in ``__del__``.
        """
        if self._serving is not None:
            self._serving.loop.wake()


def _after_fork_in_child() -> None:
    for server in list(_servers):
        server.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
