"""
Results that cannot be rebuilt in the notebook.

Python unpickles the results of a `multiprocessing.Pool` in a thread of the pool. An
error there ends the thread, and all who wait for a result wait for ever. Here the error
is the task's.
"""

from __future__ import annotations

import functools
import pickletools
from multiprocessing import pool as mp_pool
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from ..errors import DataDecodeError
from .tracebacks import dress

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cut_results import ResultReaders

__all__ = ["handle_results"]

#: That of Python.
_handle_results = mp_pool.Pool._handle_results  # type: ignore[attr-defined]


def handle_results(readers: ResultReaders) -> Callable[[Any, Any, Any], None]:
    """
    Make the function that the thread of a pool runs, to read results.

    Args:
        readers: Have the reader of each pool's connection.
    """

    @functools.wraps(_handle_results)
    def handle(outqueue: Any, get: Any, cache: Any) -> None:
        # A pool of threads has no connection.
        connection = getattr(outqueue, "_reader", None)
        if connection is None:
            _handle_results(outqueue, get, cache)
            return
        readers.read(connection)

        def get_result() -> Any:
            try:
                return get()
            except Exception as error:  # whatever the result's own class does
                message = _message_of(error)
                if message is None:
                    raise  # the pool ends
                return _failed(message, error)

        _handle_results(outqueue, get_result, cache)

    return handle


def _failed(message: bytes, error: Exception) -> tuple[Any, Any, Any]:
    """
    Make the message of a task that has failed from that with a result.
    """
    numbers = (
        argument
        for code, argument, _ in pickletools.genops(message)
        if code.name.startswith(("BININT", "LONG"))
    )
    # A message begins with the numbers of the call and of the task in it.
    job, index = next(numbers), next(numbers)
    failed = DataDecodeError(
        "The result of a task could not be rebuilt in the notebook, because of "
        f"{type(error).__name__}: {error}"
    )
    # The traceback refers to the message, which may be large.
    failed.__cause__ = error.with_traceback(None)
    return job, index, (False, dress(failed))


def _message_of(error: Exception) -> bytes | None:
    """
    Give the message that a connection was unpickling as the error was raised, or None.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is Connection.recv.__code__:
            buffer = trace.tb_frame.f_locals.get("buf")
            return None if buffer is None else buffer.getvalue()
        trace = trace.tb_next
    return None
