"""
``with`` blocks of clients: the context managers that they enter and leave.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from ..objects.operations import call_method
from .blocking_calls import AsEver, block
from .clients import OpenContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..objects.table import Entry
    from .connections import Connection

__all__ = ["enter", "leave"]


def enter(entry: Entry, connection: Connection, number: int = 0) -> Any:
    """
    Enter an object's context manager for a client.

    Args:
        entry: The object.
        connection: The connection that made the request.
        number: The client's number of the block; 0 if it gave no number.

    Returns:
        The result of ``__enter__``.

    Raises:
        BaseException: Raised by ``__enter__``.
    """
    target, thread = entry.target, connection.thread
    entry.policy.check(target, "__enter__")
    try:
        value = block(connection, target, "__enter__", (), {})
    except AsEver:
        value = call_method(entry, "__enter__", (), {})
    # The thread that now has the lock is not the one that acquired it by method.
    thread.process.acquired.pop(id(target), None)
    context = OpenContext(entry, target, number)
    thread.contexts.append(context)
    connection.grants.append(lambda: thread.leave(context))
    return value


def leave(
    entry: Entry,
    connection: Connection,
    error: BaseException | None = None,
    number: int = 0,
) -> bool:
    """
    Leave an object's context manager for a client.

    Args:
        entry: The object.
        connection: The connection that made the request.
        error: The exception that leaves the block.
        number: As for `enter`.

    Returns:
        True if ``__exit__`` suppresses the exception.

    Raises:
        BaseException: Raised by ``__exit__``.
    """
    target = entry.target
    # A manual call has no number: it leaves the innermost context.
    for context in reversed(connection.contexts):
        if context.number == number and context.entry is entry:
            connection.contexts.remove(context)
            # The name may have another object now.
            target = context.target
            break
    else:
        if number:
            return False  # it was already ended for the client
    kind = None if error is None else type(error)
    trace = None if error is None else error.__traceback__
    entry.policy.check(target, "__exit__")
    call = partial(type(target).__exit__, target, kind, error, trace)
    if entry.is_bound and not connection.thread.is_here:
        # The thread that entered it is running a call that the client gave up. The
        # object is left when that call ends; the client need not wait for it.
        connection.thread.run(partial(_unheard, call))
        return False
    return bool(call())


def _unheard(call: Callable[[], object]) -> None:
    """
    Make a call whose result is not needed.
    """
    # raised by the object; no code waits for it
    with contextlib.suppress(BaseException):
        call()
