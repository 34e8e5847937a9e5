"""
The server for its own process: direct calls of the objects, without frames.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from ..client.proxy import rooted_proxy
from ..client.timeout_messages import lock_timeout
from ..errors import DataDecodeError
from ..objects.claims import Claim
from ..objects.exports import is_stored_as_proxy, stored_argument
from ..objects.harmless.views import is_indexer
from ..objects.operations import (
    call_method,
    get_attribute,
    is_own_method,
    set_attribute,
)
from ..objects.table import HERE
from ..objects.titles import expression_of, title_of
from ..protocol.opcodes import ProxyOpCode
from ..protocol.references import MethodMark
from .clients import ClientProcess, ClientThread, OpenContext
from .dispatch import SELF_METHODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..client.link import Link
    from ..objects.exports import Exports
    from ..objects.locks import ObjectLocks
    from ..objects.table import ObjectTable
    from .control import Desk

__all__ = ["Here"]


class _HelloOfHere:
    client = HERE
    pid = 0
    process_name = HERE
    far_pid = 0
    thread_name = HERE


class CallerHere:
    """
    The connection of the server's own process, for control requests and manual frames.
    """

    hello: Any = _HelloOfHere
    gone = False
    buffers: Any = ()
    payload: Any = None
    #: Manual frames hold no proxies.
    proxied: Any = None

    def __init__(self) -> None:
        self.thread: ClientThread = ClientThread(ClientProcess({}), self.hello)
        self.contexts: list[OpenContext] = self.thread.contexts
        #: Grants of manual frames always arrive.
        self.grants: deque[Any] = deque(maxlen=0)
        self.lent: deque[Any] = deque(maxlen=0)

    def take_back(self) -> None:
        """
        Do nothing: grants of manual frames always arrive.
        """


def _queue() -> None:
    """
    Do nothing: a thread of this process waits by itself.
    """


class Told:
    """
    Tells a thread of this process once that its claim holds the lock.

    An Event would not work: an interrupt in the middle of its methods breaks its lock.
    """

    def __init__(self) -> None:
        self._untold = threading.Lock()
        self._untold.acquire()

    def tell(self) -> None:
        """
        Wake the waiting thread; called once.
        """
        self._untold.release()

    def wait(self, timeout: float | None) -> bool:
        """
        Wait until `tell` was called.

        Args:
            timeout: Seconds, or None.

        Returns:
            Whether `tell` was called.
        """
        return self._untold.acquire(timeout=-1 if timeout is None else timeout)


class Server(Protocol):
    """
    The members of a server that this module uses.
    """

    table: ObjectTable
    locks: ObjectLocks
    desk: Desk
    exports: Exports

    @property
    def link(self) -> Link:
        """
        This process's link to the server.
        """
        ...

    def wake(self) -> None:
        """
        Let a thread of the server clean up.
        """


class Here:
    """
    The methods that a link needs of a server in its own process.

    Args:
        server: The server.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._table = server.table
        self.connection: Any = CallerHere()

    def local_get(self, idx: int, name: str) -> Any:
        """
        Read an attribute.
        """
        entry = self._table.get(idx)
        value = get_attribute(entry, name)
        if not entry.is_open and entry.policy.readonly and is_indexer(value):
            # Read-only: the indexer belongs to a view, and writes to the view would be
            # lost.
            ref = self._table.export(value, entry, f".{name}", HERE)
            return rooted_proxy(self._server.link, ref, None)
        method = is_own_method(value, entry.target, name)
        # A method becomes a method of the proxy, so it pickles without its object.
        return value if method is None else MethodMark(of_type=False)

    def local_set(self, idx: int, name: str, value: Any) -> None:
        """
        Set an attribute.
        """
        set_attribute(self._table.get(idx), name, self._stored(value))

    def local_call(self, idx: int, method: str, args: Any, kwargs: Any) -> Any:
        """
        Call a method.
        """
        entry = self._table.get(idx)
        stored = stored_argument(entry.target, method)
        args = [
            self._stored(value) if position == stored else self.target_of(value)
            for position, value in enumerate(args)
        ]
        kwargs = {key: self.target_of(value) for key, value in kwargs.items()}
        if method == "__await__":
            entry.policy.check(entry.target, method)
            return entry.target.__await__()
        value = call_method(entry, method, args, kwargs)
        if value is entry.target and (method in SELF_METHODS or method == "__iter__"):
            return MethodMark(of_type=False)
        return value

    def local_frame(self, opcode: int, payload: Sequence[Any]) -> Any:
        """
        Execute a request frame.
        """
        if opcode == ProxyOpCode.GET:
            return self.local_get(*payload)
        if opcode == ProxyOpCode.SET:
            return self.local_set(*payload)
        if opcode == ProxyOpCode.EXECUTE:
            idx, method, args, kwargs = payload
            return self.local_call(idx, method, args, kwargs)
        raise DataDecodeError(
            f"The opcode of a request must be GET, SET or EXECUTE, not {opcode!r}."
        )

    def local_desk(self, word: str, args: Sequence[Any]) -> Any:
        """
        Execute a request to the server itself.
        """
        return self._server.desk.answer(self.connection, word, args)

    def local_reference(
        self, idx: int, how: str, name: str, args: Any, kwargs: Any
    ) -> Any:
        """
        Execute a request of `ref`, and return the reference.
        """
        found = self._server.desk.reference(
            self.connection, idx, how, name, args, kwargs
        )
        entry, step, value = found
        ref = self._server.exports.reference(value, entry, step, HERE)
        return value if ref is None else ref

    def local_claim(self, idx: int) -> Claim:
        """
        Make a claim of this thread to the lock of an object.
        """
        entry = self._table.get(idx)
        me = threading.current_thread()
        told = Told()
        owner = HERE, threading.get_ident()
        name = f"the notebook (pid {os.getpid()}, thread {me.name})"
        return Claim(entry, owner, name, _queue, told.tell)

    def local_lock(self, claim: Claim, timeout: float | None) -> None:
        """
        Wait until a claim holds its lock.

        Raises:
            ProxyTimeout: It did not become free in time.
            DeadlockError: Waiting would never end.
        """
        if self._server.locks.acquire(claim):
            return
        told: Told = claim.tell.__self__  # type: ignore[attr-defined]
        if not told.wait(timeout):
            holder = self._server.locks.holder_of(claim.target)
            who = "" if holder is None else holder.worker
            raise lock_timeout(title_of(claim.entry), who, timeout)

    def local_end(self, claim: Claim) -> None:
        """
        Release a claim, whether it waits or holds its lock. Repeated calls do nothing.
        """
        if self._server.locks.give_up(claim):
            self._server.wake()

    def local_expression(self, target: Any) -> str:
        """
        Return the expression for the proxy of an object; "" if it is not shared.
        """
        for entry in list(self._table.entries.values()):
            if entry.target is target and (found := expression_of(entry)):
                return found
        return ""

    def local_context(self, idx: int) -> tuple[Any, Any, Any]:
        """
        Return an object, and the functions that enter and leave it.

        Raises:
            AccessDenied: The settings forbid it.
        """
        entry = self._table.get(idx)
        target = entry.target
        for name in ("__enter__", "__exit__"):
            entry.policy.check(target, name)
        return target, type(target).__enter__, type(target).__exit__

    def local_type(self, idx: int) -> type:
        """
        Return the type of an object.
        """
        return type(self._table.get(idx).target)

    def local_drop(self, idx: int) -> None:
        """
        Note that a proxy of a chained object was dropped; safe in ``__del__``.
        """
        self._table.drop_here(idx)
        self._server.wake()

    def _stored(self, value: Any) -> Any:
        """
        Return the value to store, as if the value came from a worker.
        """
        parts = self._server.exports.token_of(value)
        if parts is None or parts[0] != "object":
            return value
        entry = self._table.entries.get(parts[1])
        if entry is None or is_stored_as_proxy(entry):
            return value
        return entry.target

    def target_of(self, value: Any) -> Any:
        """
        Return the object itself for a proxy of this server.
        """
        parts = self._server.exports.token_of(value)
        if parts is None:
            return value
        entry = self._table.get(parts[1])
        return entry.target if parts[0] == "object" else get_attribute(entry, parts[2])
