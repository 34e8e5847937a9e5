"""
How values leave the server: as copies, or as references to objects.

If an object holds or returns a proxy, a worker gets the proxy of the same object, with
its number, level and settings. A proxy of another server is pickled, and connects the
worker to that server.
"""

from __future__ import annotations

import pickle
import queue
from collections import UserDict, UserList, deque
from types import FunctionType
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Ext

from ..errors import DataEncodeError
from ..protocol.by_value import pickles_alone, travels_by_value
from ..protocol.exceptions import reduce_exception
from ..protocol.references import REF, resolve
from ..protocol.values import (
    dumps,
    encode,
    reduce_main_only,
    wrap,
)
from .table import HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..client.link import Link
    from ..protocol.references import ObjectRef
    from .table import Entry, ObjectTable

__all__ = ["Exports", "is_stored_as_proxy", "stored_argument"]

#: How often pickling is tried if another thread changes the value meanwhile.
ATTEMPTS = 10
#: The text of Python's error in this case.
CHANGED = "during iteration"

#: Types that store an argument, and the position of this argument in their methods.
CONTAINERS = (
    list,
    dict,
    set,
    deque,
    UserDict,
    UserList,
    queue.Queue,
    queue.SimpleQueue,
)
STORED = {
    **dict.fromkeys(("append", "appendleft", "add", "put", "put_nowait"), 0),
    **dict.fromkeys(("__setitem__", "insert", "setdefault"), 1),
}


def stored_argument(target: Any, name: str) -> int | None:
    """
    Return the position of the argument that a method stores in a container.

    A proxy at this position may stay a proxy, as `is_stored_as_proxy` says; at other
    positions it becomes the object itself.
    """
    position = STORED.get(name)
    if position is None or not issubclass(type(target), CONTAINERS):
        return None
    return position


def is_stored_as_proxy(entry: Entry) -> bool:
    """
    Return whether an object stores the proxy of another one instead of the object.

    The proxy of a shared object keeps its number, settings and lock, and the proxy of a
    read-only object stays read-only. An object that was only reached through a shared
    one is stored itself. So after ``results["a"] += 1`` in a worker, ``results["a"]``
    is still an array.
    """
    return entry.kept or not entry.is_open


class Exports:
    """
    Makes the copies and references in answers.

    Args:
        table: The objects.
        link: Returns this process's link to the server.
    """

    def __init__(self, table: ObjectTable, link: Callable[[], Link | None]) -> None:
        self._table = table
        self._link = link

    def token_of(self, value: Any) -> Any:
        """
        Return the token for a proxy of this server, or for a method of one.

        Returns:
            ``("object", number)``, ``("method", number, name)``, or None for other
            values.
        """
        token = getattr(type(value), "_duck_token", None)
        return None if token is None else token(value, self._link())

    def proxy_of(self, entry: Entry) -> Any:
        """
        Return a proxy for this process.
        """
        ref = self._table.export(entry.target, entry, "", HERE)
        link = self._link()
        assert link is not None
        return link.proxy_of(ref)

    def reference(
        self, value: Any, entry: Entry, step: str, holder: str
    ) -> ObjectRef | None:
        """
        Return a reference to an object that was reached through another one.

        Args:
            value: The reached object.
            entry: The object it was reached through.
            step: The step to it, such as ``".index"`` or ``".groupby()"``.
            holder: The process that gets the reference.

        Returns:
            None for a method of a proxy and for a proxy of another server: both are
            pickled.

        Raises:
            LimitedProxyChaining: Its proxy would have too high a level.
        """
        if not hasattr(type(value), "_duck_token"):
            return self._table.export(value, entry, step, holder)
        token = self.token_of(value)
        if token is None or token[0] != "object":
            return None
        own = self._table.entries.get(token[1])
        if own is None:
            # It was unshared; the next use of the proxy raises the error.
            ref: ObjectRef = value._duck_ref
            return ref
        return self._table.export(own.target, own, "", holder)

    def wrapped(
        self, value: Any, entry: Entry, step: str, holder: str
    ) -> tuple[Any, Sequence[Any], Sequence[ObjectRef]]:
        """
        Return the encoded form of a value, its large buffers and its references.

        Args:
            value: The value.
            entry: The object that returned it.
            step: The step from this object to the value.
            holder: The process that gets the value.

        Raises:
            LimitedProxyChaining: A reference in it would have too high a level.
        """
        if not travels_by_value(value):
            ref = self.reference(value, entry, step, holder)
            if ref is not None:
                return Ext(REF, encode(ref)), (), (ref,)
        # If cloudpickle takes over from pickle, it calls the hook again for each part.
        sent: dict[int, tuple[Any, ObjectRef]] = {}
        by_value: set[type] = set()

        def hook(part: Any) -> Any:
            if isinstance(part, type):
                if part in by_value or travels_by_value(part):
                    return reduce_main_only(part)
            elif travels_by_value(part):
                if pickles_alone(part):
                    return pickle.loads, (dumps(part, reduce_main_only),)
                by_value.add(type(part))
                if isinstance(part, BaseException):
                    return reduce_exception(part, _goes_in_any_case)
                return NotImplemented
            elif isinstance(part, FunctionType) and part.__module__ == "copyreg":
                return NotImplemented
            if id(part) not in sent:
                ref = self.reference(part, entry, step, holder)
                if ref is None:
                    return NotImplemented
                sent[id(part)] = part, ref
            return resolve, (tuple(sent[id(part)][1]),)

        buffers: list[Any] = []
        try:
            wrapped = _wrap_steadily(value, hook, buffers)
            return wrapped, buffers, [ref for _, ref in sent.values()] if sent else ()
        except BaseException as error:
            self._table.release([ref.idx for _, ref in sent.values()], holder)
            if not isinstance(error, DataEncodeError):
                raise
            # It claims to be a value but cannot be pickled, so it stays here.
            ref = self._table.export(value, entry, step, holder)
            return Ext(REF, encode(ref)), (), (ref,)


def _wrap_steadily(
    value: Any,
    hook: Callable[[Any], Any],
    buffers: list[Any],
    attempts: int = ATTEMPTS,
) -> Any:
    """
    Return the encoded form of a value, also of a container that others change.
    """
    try:
        return wrap(value, hook, buffers)
    except DataEncodeError as error:
        if attempts == 1 or CHANGED not in str(error.__cause__):
            raise
    again = value.copy() if type(value) in (dict, set) else value
    return _wrap_steadily(again, hook, buffers, attempts - 1)


def _goes_in_any_case(part: Any) -> bool:
    # A value that cannot be pickled is sent as a reference.
    return True
