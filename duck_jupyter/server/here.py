"""
The server as its own process sees it: straight to the objects, without frames.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from ..errors import DataDecodeError, ProxyTimeout
from ..protocol.opcodes import ProxyOpCode
from ..protocol.refs import MethodMark
from .clients import ClientProcess, ClientThread
from .dispatch import SELF_METHODS
from .locks import Claim
from .objects import HERE
from .operations import call_method, get_attribute, is_own_method, set_attribute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .server import ProxyServer

__all__ = ["Here"]


class _HelloOfHere:
    client = HERE
    pid = 0
    process_name = HERE


class CallerHere:
    """
    The caller that the server's own process is, at the desk and by hand.
    """

    hello: Any = _HelloOfHere
    gone = False
    buffers: Any = ()
    payload: Any = None

    def __init__(self) -> None:
        self.thread = ClientThread(ClientProcess({}), self.hello)
        self.contexts = self.thread.contexts
        #: What is granted by hand has arrived.
        self.grants: deque[Any] = deque(maxlen=0)

    def take_back(self) -> None:
        """
        Do nothing: what is granted by hand has arrived.
        """


def _queue() -> None:
    """
    Do nothing: a thread of this process waits by itself.
    """


class Here:
    """
    What a link needs of the server in whose process it is.

    Args:
        server: The server.
    """

    def __init__(self, server: ProxyServer) -> None:
        self._server = server
        self._table = server.table
        self.caller: Any = CallerHere()

    def local_get(self, idx: int, name: str) -> Any:
        """
        Read an attribute.
        """
        entry = self._table.get(idx)
        value = get_attribute(entry, name)
        method = is_own_method(value, entry.target, name)
        # A method goes on as the proxy's, so that it pickles without its object.
        return value if method is None else MethodMark(of_type=False)

    def local_set(self, idx: int, name: str, value: Any) -> None:
        """
        Set an attribute.
        """
        set_attribute(self._table.get(idx), name, self.target_of(value))

    def local_call(self, idx: int, method: str, args: Any, kwargs: Any) -> Any:
        """
        Call a method.
        """
        entry = self._table.get(idx)
        args = [self.target_of(value) for value in args]
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
        Do what a request frame says.
        """
        if opcode == ProxyOpCode.GET:
            return self.local_get(*payload)
        if opcode == ProxyOpCode.SET:
            return self.local_set(*payload)
        if opcode == ProxyOpCode.EXECUTE:
            idx, method, args, kwargs = payload
            return self.local_call(idx, method, args, kwargs)
        raise DataDecodeError(
            f"A frame with opcode {opcode!r} asks for nothing; GET, SET and EXECUTE do."
        )

    def local_desk(self, word: str, args: Sequence[Any]) -> Any:
        """
        Do what a word to the server itself says.
        """
        return self._server.desk.answer(self.caller, word, args)

    def local_reference(
        self, idx: int, how: str, name: str, args: Any, kwargs: Any
    ) -> Any:
        """
        Do what `ref` wants, and give the reference.
        """
        found = self._server.desk.reference(self.caller, idx, how, name, args, kwargs)
        entry, step, value = found
        return self._table.export(value, entry, step, HERE)

    def local_claim(self, idx: int) -> Claim:
        """
        Make a claim of this thread to the lock of an object.
        """
        entry = self._table.get(idx)
        me = threading.current_thread()
        told = threading.Event()
        owner = HERE, threading.get_ident()
        name = f"the notebook (thread {me.name})"
        return Claim(entry.target, entry.path, owner, name, _queue, told.set)

    def local_lock(self, claim: Claim, timeout: float | None) -> None:
        """
        Wait until a claim holds its lock.

        Raises:
            ProxyTimeout: It did not become free in time.
            DeadlockError: It never would.
        """
        if self._server.locks.acquire(claim):
            return
        told: threading.Event = claim.tell.__self__  # type: ignore[attr-defined]
        if not told.wait(timeout):
            raise ProxyTimeout(
                f"The lock of {claim.path} did not become free within {timeout} s: "
                "another worker, or the notebook, is inside locked(...)."
            )

    def local_end(self, claim: Claim) -> None:
        """
        Give a claim up, whether it waits or holds its lock. Twice is fine.
        """
        if self._server.locks.give_up(claim):
            self._server.wake()

    def local_context(self, idx: int) -> tuple[Any, Any, Any]:
        """
        Give an object, and the functions that enter and leave it.

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
        Give the type of an object.
        """
        return type(self._table.get(idx).target)

    def local_drop(self, idx: int) -> None:
        """
        Note that a proxy of a chained object went; safe in ``__del__``.
        """
        self._table.drop_here(idx)
        self._server.wake()

    def target_of(self, value: Any) -> Any:
        """
        Give the object itself for a proxy of this server.
        """
        token = getattr(type(value), "_duck_token", None)
        if token is None:
            return value
        parts = token(value, self._server.link)
        if parts is None:
            return value
        entry = self._table.get(parts[1])
        return entry.target if parts[0] == "object" else get_attribute(entry, parts[2])
