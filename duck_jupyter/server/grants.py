"""
Grants: what an answer gives to a client, and how it is taken back.

A lock that was acquired, or an item that was taken from a queue or an iterator, belongs
to the client when the client acknowledges the answer. Until then the client may be
interrupted or killed, and the lock or item would be lost.
"""

from __future__ import annotations

import queue
from collections import deque
from functools import partial
from multiprocessing import queues
from typing import TYPE_CHECKING, Any

from ..protocol.granting_methods import ACQUIRING, NOTIFIED, RELEASING, TAKING
from ..protocol.granting_methods import GRANTING as METHODS
from .acquired_locks import Acquired
from .blocking_calls import CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..objects.table import Entry
    from .clients import ClientThread

__all__ = ["GRANTING", "undo_of"]

#: Queues that cannot put an item back in front; they get it back at their end.
QUEUES = (queue.SimpleQueue, queues.Queue, queues.SimpleQueue)
#: The methods that may grant something; also an iterator's, and a bound method's call.
GRANTING = METHODS | {"__next__", "__call__"}

_CallableIterator = type(iter(int, 0))


def undo_of(
    entry: Entry, name: str, value: Any, thread: ClientThread
) -> Callable[[], None] | None:
    """
    Return the function that takes back the grant of a call, or None.

    Args:
        entry: The called object.
        name: The method.
        value: The result of the method.
        thread: The client thread that made the request.

    Returns:
        None if the call granted nothing.
    """
    target = entry.target
    if name == "__call__":
        # A bound method that was read as an attribute, such as that of a Condition.
        name = getattr(target, "__name__", "")
        target = getattr(target, "__self__", None)
    if name in RELEASING:
        thread.process.acquired.pop(id(target), None)
        return None
    if name in ACQUIRING:
        return _undo_acquire(target, value, thread)
    if name == "__next__":
        if isinstance(target, _CallableIterator):
            # iter(items.get, None): its reduced form has its parts.
            parts = target.__reduce__()[1]
            target = getattr(parts[0], "__self__", None)
        else:
            return lambda: entry.returned.append(value)
    elif name in NOTIFIED:
        # A notified client that has disconnected passes the notification on.
        told = value and isinstance(target, CONDITIONS)
        return target.notify if told else None
    elif name not in TAKING:
        return None
    if isinstance(target, queue.Queue):
        items = target
        return lambda: _put_back(items, value)
    return partial(target.put, value) if isinstance(target, QUEUES) else None


def _undo_acquire(
    target: Any, value: Any, thread: ClientThread
) -> Callable[[], None] | None:
    # Other objects have methods with these names and are not locks.
    if value is not True or type(target).__module__ not in LOCK_MODULES:
        return None
    acquired = thread.process.acquired
    acquired[id(target)] = Acquired(target, thread)

    def undo() -> None:
        acquired.pop(id(target), None)
        target.release()

    return undo


#: The modules that define the locks of Python.
LOCK_MODULES = frozenset(
    {"_multiprocessing", "_thread", "multiprocessing.synchronize", "threading"}
)


def _put_back(items: queue.Queue[Any], value: Any) -> None:
    with items.mutex:
        if isinstance(items.queue, deque):
            items.queue.appendleft(value)
        else:
            items._put(value)  # the queue's own way to keep its order
        # The queue's count of unfinished tasks is unchanged: `get` does not change it.
        items.not_empty.notify()
