"""
Grants: what a call gave to a client, and how it is taken back.

A lock that was acquired, or an item that was taken from a queue or an iterator, belongs
to the client once it says that the answer arrived. Until then the client may be
interrupted or killed, and then nobody would have it.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from multiprocessing import synchronize
from typing import TYPE_CHECKING, Any

from ..errors import WorkerGone
from .clients import Acquired

if TYPE_CHECKING:
    from collections.abc import Callable

    from .callers import Caller
    from .clients import ClientThread
    from .objects import Entry

__all__ = ["GRANTING", "undo_of", "wait_for"]

ACQUIRING = frozenset({"acquire", "acquire_lock"})
TAKING = frozenset({"get", "get_nowait"})
#: The methods that may grant something.
GRANTING = ACQUIRING | TAKING | {"__next__", "__call__", "release"}

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
    if name == "release":
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
    elif name not in TAKING:
        return None
    if isinstance(target, queue.Queue):
        items = target
        return lambda: _put_back(items, value)
    return None


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


#: Seconds after which a thread of the server that waits for a lock or an item looks
#: whether anybody still wants it.
LOOK_EVERY_S = 1.0
#: Of these very types, for a subclass may take other arguments.
WAITED_FOR: frozenset[type] = frozenset(
    {
        type(threading.Lock()),
        type(threading.RLock()),
        threading.Semaphore,
        threading.BoundedSemaphore,
        threading.Condition,
        synchronize.Lock,
        synchronize.RLock,
        synchronize.Semaphore,
        synchronize.BoundedSemaphore,
    }
)


def wait_for(caller: Caller, target: Any, name: str) -> bool:
    """
    Wait for a lock without a time limit, for as long as the client is connected.

    Args:
        caller: Who asked.
        target: What was called, such as a lock.
        name: The method, which was called without arguments.

    Returns:
        True when the lock was acquired; False where it is to be called as ever.

    Raises:
        WorkerGone: The client has disconnected.
    """
    if type(target) not in WAITED_FOR or name not in ACQUIRING | {"__enter__"}:
        return False
    while not target.acquire(True, LOOK_EVERY_S):
        if caller.gone:
            raise WorkerGone(f"{caller.thread.name} ended while it waited.")
    return True


def _put_back(items: queue.Queue[Any], value: Any) -> None:
    with items.mutex:
        if isinstance(items.queue, deque):
            items.queue.appendleft(value)
        else:
            items._put(value)  # how it keeps its order
        # Its count of unfinished tasks is as it was: `get` does not change it.
        items.not_empty.notify()
