"""
Calls that may block for ever, such as the ``get`` of an empty queue.

A thread that blocks in a call cannot be told that its client has disconnected. So the
standard library's own blocking calls wait here for a second at a time, and give up when
the client has disconnected.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from multiprocessing import queues, synchronize
from types import FunctionType, MethodDescriptorType
from typing import TYPE_CHECKING, Any

from ..errors import WorkerGone
from ..protocol.granting_methods import ACQUIRING, NOTIFIED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .connections import Connection

    #: Waits with ``(target, slices, args)``; args are those before block and timeout.
    Wait = Callable[[Any, Iterator[float], Sequence[Any]], Any]

__all__ = ["BLOCKING", "CONDITIONS", "AsEver", "block"]

#: Seconds of one wait; a disconnected client is detected within this time.
LOOK_EVERY_S = 1.0
LOCKING = ACQUIRING | {"__enter__"}
#: The names of methods that `block` may handle.
BLOCKING = LOCKING | NOTIFIED | {"get", "put", "join", "__call__"}
CONDITIONS = (threading.Condition, synchronize.Condition)
#: Only these exact types, because a subclass may take other arguments. The other
#: methods are looked up by themselves, also in a subclass that does not override them.
LOCKS: frozenset[type] = frozenset(
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


#: Types whose ``acquire`` takes -1 for no timeout. For a semaphore of `threading`, -1
#: returns at once, and for a queue it is an error.
ENDLESS = frozenset(
    {type(threading.Lock()), type(threading.RLock()), threading.Condition}
)


class AsEver(Exception):
    """
    The call is not known to block: make it as it is.
    """


def block(
    connection: Connection, target: Any, name: str, args: Any, kwargs: Mapping[str, Any]
) -> Any:
    """
    Make a call that may block, for as long as its client is connected.

    Args:
        connection: The connection that made the request.
        target: The called object, such as a lock.
        name: The method.
        args: Its positional arguments.
        kwargs: Its keyword arguments.

    Raises:
        AsEver: The call is not known to block; nothing was done.
        WorkerGone: The client has disconnected.
        BaseException: Raised by the call.
    """
    if name == "__call__":
        # A bound method that was read as an attribute, such as that of a Condition.
        name = getattr(target, "__name__", "")
        target = getattr(target, "__self__", None)
    wait, leading, first = _known(target, name)
    endless = name in LOCKING and type(target) in ENDLESS
    timeout = _timeout(args[leading:], kwargs, first, endless)
    return wait(target, _slices(connection, timeout), args[:leading])


def _known(target: Any, name: str) -> tuple[Wait, int, str]:
    if name in LOCKING and type(target) in LOCKS:
        return _acquire, 0, "block"
    found = getattr(type(target), name, None)
    if isinstance(found, (FunctionType, MethodDescriptorType)) and found in METHODS:
        return METHODS[found]
    raise AsEver


def _timeout(
    args: Any, kwargs: Mapping[str, Any], first: str, endless: bool
) -> float | None:
    """
    Return the seconds that a call may block at most, or None.

    Args:
        args: The positional arguments from `first` on.
        kwargs: The keyword arguments.
        first: The name of the first of these positional arguments.
        endless: Whether -1 means no timeout.

    Raises:
        AsEver: The call must not block, or its arguments are not understood.
    """
    names = ("block", "timeout") if first == "block" else ("timeout",)
    given = dict(zip(names, args, strict=False))
    given |= {"block" if key == "blocking" else key: kwargs[key] for key in kwargs}
    if len(given) != len(args) + len(kwargs) or not given.keys() <= set(names):
        raise AsEver
    timeout = given.get("timeout")
    if timeout is None or (timeout == -1 and endless):
        timeout = None
    elif not isinstance(timeout, (int, float)):
        raise AsEver
    elif not 0 <= timeout <= threading.TIMEOUT_MAX:
        raise AsEver  # most of them raise an error for such a timeout
    if not given.get("block", True):
        raise AsEver
    return timeout


def _slices(connection: Connection, timeout: float | None) -> Iterator[float]:
    """
    Yield the seconds of each wait, until the timeout is over; at least once.

    Raises:
        WorkerGone: The client has disconnected.
    """
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = LOOK_EVERY_S if end is None else max(end - time.monotonic(), 0.0)
        yield min(left, LOOK_EVERY_S)
        if end is not None and time.monotonic() >= end:
            return
        if connection.gone:
            raise WorkerGone(f"{connection.thread.name} ended while it waited.")


def _acquire(lock: Any, slices: Iterator[float], _: Sequence[Any]) -> bool:
    return any(lock.acquire(True, seconds) for seconds in slices)


def _wait_for_event(event: Any, slices: Iterator[float], _: Sequence[Any]) -> bool:
    return any(map(event.wait, slices))


def _wait_for_notify(condition: Any, slices: Iterator[float], _: Sequence[Any]) -> bool:
    # No thread can notify between two waits: this needs the lock, which is held then.
    return any(map(condition.wait, slices))


def _wait_for_predicate(
    condition: Any, slices: Iterator[float], args: Sequence[Any]
) -> Any:
    (predicate,) = args
    result = predicate()
    for seconds in slices:
        if result:
            break
        condition.wait(seconds)
        result = predicate()
    return result


def _get(items: Any, slices: Iterator[float], _: Sequence[Any]) -> Any:
    for seconds in slices:
        with contextlib.suppress(queue.Empty):
            return items.get(True, seconds)
    raise queue.Empty


def _put(items: Any, slices: Iterator[float], args: Sequence[Any]) -> None:
    for seconds in slices:
        with contextlib.suppress(queue.Full):
            items.put(*args, True, seconds)
            return
    raise queue.Full


def _get_from_pipe(items: Any, slices: Iterator[float], _: Sequence[Any]) -> Any:
    # It has no timeout of its own, so this does its steps with one.
    while not items._rlock.acquire(True, next(slices)):
        pass
    try:
        while not items._reader.poll(next(slices)):
            pass
        data = items._reader.recv_bytes()
    finally:
        items._rlock.release()
    return queues._ForkingPickler.loads(data)  # type: ignore[attr-defined]


def _join(items: Any, slices: Iterator[float], _: Sequence[Any]) -> None:
    with items.all_tasks_done:
        for seconds in slices:
            if not items.unfinished_tasks:
                return
            items.all_tasks_done.wait(seconds)


#: For each function or method descriptor: the function that waits, the number of
#: arguments before those of the timeout, and the name of the first of these.
METHODS: dict[Any, tuple[Wait, int, str]] = {
    queue.Queue.get: (_get, 0, "block"),
    queue.Queue.put: (_put, 1, "block"),
    queue.Queue.join: (_join, 0, "timeout"),
    queue.SimpleQueue.get: (_get, 0, "block"),
    queues.Queue.get: (_get, 0, "block"),
    queues.Queue.put: (_put, 1, "block"),
    queues.JoinableQueue.put: (_put, 1, "block"),
    queues.SimpleQueue.get: (_get_from_pipe, 0, "timeout"),
    threading.Event.wait: (_wait_for_event, 0, "timeout"),
    synchronize.Event.wait: (_wait_for_event, 0, "timeout"),
    threading.Condition.wait: (_wait_for_notify, 0, "timeout"),
    synchronize.Condition.wait: (_wait_for_notify, 0, "timeout"),
    threading.Condition.wait_for: (_wait_for_predicate, 1, "timeout"),
    synchronize.Condition.wait_for: (_wait_for_predicate, 1, "timeout"),
}
