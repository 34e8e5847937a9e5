"""
The server as its own process sees it: straight to the objects, without frames.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ..errors import DataDecodeError
from ..protocol.opcodes import ProxyOpCode
from ..protocol.refs import MethodMark
from .dispatch import SELF_METHODS
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

    hello = _HelloOfHere
    gone = False
    buffers: Any = ()
    payload: Any = None

    def __init__(self) -> None:
        self.contexts: list[Any] = []

    def has_gone(self) -> bool:
        """
        Ask whether the client has ended: it is here.
        """
        return False

    @property
    def owner(self) -> tuple[str, int]:
        """
        Who owns a lock that is taken here: this thread.
        """
        return HERE, threading.get_ident()


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
