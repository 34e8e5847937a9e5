"""
What leaves the server: values as copies, other objects as references to them.

A proxy that an object holds or returns is for a worker the proxy of its object: with
the number, the level and the settings that the object is shared with. A proxy of
another server is pickled, and leads its worker there.
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

#: So often a value is pickled that another thread changes meanwhile.
ATTEMPTS = 10
#: What Python says then.
CHANGED = "during iteration"

#: What keeps what it is given, and at which position its methods are given that.
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
    Give the position of the argument that a method of a container puts into it.

    A proxy there may stay a proxy, as `is_stored_as_proxy` says; among other arguments
    it is the object itself.
    """
    position = STORED.get(name)
    if position is None or not issubclass(type(target), CONTAINERS):
        return None
    return position


def is_stored_as_proxy(entry: Entry) -> bool:
    """
    Tell whether an object stores the proxy of another one, and not that object itself.

    The proxy of a shared object has its number, settings and lock, and the proxy of a
    read-only object keeps it read-only. What was only reached through a shared object
    is stored itself. So after ``results["a"] += 1`` in a worker, ``results["a"]`` is
    still an array.
    """
    return entry.kept or not entry.is_open


class Exports:
    """
    Makes what stands for values and objects in answers.

    Args:
        table: The objects.
        link: Gives this process's link to the server.
    """

    def __init__(self, table: ObjectTable, link: Callable[[], Link | None]) -> None:
        self._table = table
        self._link = link

    def token_of(self, value: Any) -> Any:
        """
        Give what a proxy of this server, or a method of one, stands for.

        Returns:
            ``("object", number)``, ``("method", number, name)``, or None for others.
        """
        token = getattr(type(value), "_duck_token", None)
        return None if token is None else token(value, self._link())

    def proxy_of(self, entry: Entry) -> Any:
        """
        Give a proxy for this process.
        """
        ref = self._table.export(entry.target, entry, "", HERE)
        link = self._link()
        assert link is not None
        return link.proxy_of(ref)

    def reference(
        self, value: Any, entry: Entry, step: str, holder: str
    ) -> ObjectRef | None:
        """
        Give a reference to what was reached through an object.

        Args:
            value: What was reached.
            entry: The object it was reached through.
            step: How, such as ``".index"`` or ``".groupby()"``.
            holder: The process that gets the reference.

        Returns:
            None for a method of a proxy and for a proxy of another server: they pickle.

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
            # It was unshared: a use of the proxy says so.
            ref: ObjectRef = value._duck_ref
            return ref
        return self._table.export(own.target, own, "", holder)

    def wrapped(
        self, value: Any, entry: Entry, step: str, holder: str
    ) -> tuple[Any, Sequence[Any], Sequence[ObjectRef]]:
        """
        Give what stands for a value in a payload, its large buffers and its references.

        Args:
            value: The value.
            entry: The object that was asked.
            step: What led from it to the value.
            holder: The process that gets it.

        Raises:
            LimitedProxyChaining: A reference in it would have too high a level.
        """
        if not travels_by_value(value):
            ref = self.reference(value, entry, step, holder)
            if ref is not None:
                return Ext(REF, encode(ref)), (), (ref,)
        # Where cloudpickle takes over from pickle it asks once more for each part.
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
            # It says that it is a value and cannot be pickled: it stays here.
            ref = self._table.export(value, entry, step, holder)
            return Ext(REF, encode(ref)), (), (ref,)


def _wrap_steadily(
    value: Any,
    hook: Callable[[Any], Any],
    buffers: list[Any],
    attempts: int = ATTEMPTS,
) -> Any:
    """
    Give what stands for a value, also of a container that others change meanwhile.
    """
    try:
        return wrap(value, hook, buffers)
    except DataEncodeError as error:
        if attempts == 1 or CHANGED not in str(error.__cause__):
            raise
    again = value.copy() if type(value) in (dict, set) else value
    return _wrap_steadily(again, hook, buffers, attempts - 1)


def _goes_in_any_case(part: Any) -> bool:
    # What cannot be pickled goes as a reference.
    return True
