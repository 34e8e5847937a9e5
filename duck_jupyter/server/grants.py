"""
Grants: what a call gave to a client, and how it is taken back.

A lock that was acquired, or an item that was taken from a queue or an iterator, belongs
to the client once it says that the answer arrived. Until then the client may be
interrupted or killed, and then nobody would have it.
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

#: Those of a queue that cannot put an item back in front get it back at their end.
QUEUES = (queue.SimpleQueue, queues.Queue, queues.SimpleQueue)
#: The methods that may grant something: an iterator's too, and a bound method's call.
GRANTING = METHODS | {"__next__", "__call__"}

_CallableIterator = type(iter(int, 0))


def undo_of(
    entry: Entry, name: str, value: Any, thread: ClientThread
) -> Callable[[], None] | None:
    """
    Give what takes back what a call has granted.

    Args:
        entry: What was called.
        name: The method.
        value: What it returned.
        thread: Who called.

    Returns:
        None where it granted nothing.
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
            # iter(items.get, None): its parts are what it would be pickled as.
            parts = target.__reduce__()[1]
            target = getattr(parts[0], "__self__", None)
        else:
            return lambda: entry.returned.append(value)
    elif name in NOTIFIED:
        # Who was notified and is gone passes it on.
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
    # What else is called so need not be a lock.
    if value is not True or type(target).__module__ not in LOCK_MODULES:
        return None
    acquired = thread.process.acquired
    acquired[id(target)] = Acquired(target, thread)

    def undo() -> None:
        acquired.pop(id(target), None)
        target.release()

    return undo


#: Where the locks of Python are defined.
LOCK_MODULES = frozenset(
    {"_multiprocessing", "_thread", "multiprocessing.synchronize", "threading"}
)


def _put_back(items: queue.Queue[Any], value: Any) -> None:
    with items.mutex:
        if isinstance(items.queue, deque):
            items.queue.appendleft(value)
        else:
            items._put(value)  # how it keeps its order
        # Its count of unfinished tasks is as it was: `get` does not change it.
        items.not_empty.notify()
