"""
Cut results: a worker was killed in the midst of a message with its result.

Python reads a message to its end. The rest never comes, and the pool waits for ever. If
another worker sends then, its message is taken for the rest. When a message comes no
further, the reader of this module looks whether its sender is dead.

This uses ``_recv`` and ``_recv_bytes`` of `multiprocessing.connection.Connection`. They
are the same in CPython 3.10 to 3.14.
"""

from __future__ import annotations

import os
import select
import threading
import weakref
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ResultReader", "ResultReaders", "give_up"]

#: The system writes a message of this size whole (PIPE_BUF of pipe(7)), so that no
#: worker can be killed in the midst of it.
WHOLE = select.PIPE_BUF
#: Milliseconds after which a message that comes no further is looked at.
STALL_MS = 50

#: Those of Python.
_recv: Any = Connection._recv  # type: ignore[attr-defined]
_recv_bytes: Any = Connection._recv_bytes  # type: ignore[attr-defined]


class CutError(Exception):
    """
    Says that the rest of a message does not come.
    """


class ResultReader:
    """
    Lets a pool's connection give up a message whose sender was killed.

    Args:
        connection: The one from which the kernel reads results.
        is_cut: Returns whether the message that is being read has no living sender.
            Without it, `give_up` says so, and the next message is read.
    """

    def __init__(
        self, connection: Any, is_cut: Callable[[], bool] | None = None
    ) -> None:
        # The connection refers to this reader, and is closed with its last reference.
        self._connection = weakref.ref(connection)
        self._is_cut = is_cut or self._is_given_up
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLIN)
        self._number = 0
        self._given_up = -1
        connection._recv = self._recv
        if is_cut is None:
            connection._recv_bytes = self._recv_bytes

    def give_up(self) -> None:
        """
        Do not wait for the rest of the message that is being read.
        """
        self._given_up = self._number

    def _is_given_up(self) -> bool:
        return self._given_up == self._number

    def _recv(self, size: int) -> Any:
        connection = self._connection()
        if size <= WHOLE:
            return _recv(connection, size)
        return _recv(connection, size, self._read)

    def _read(self, handle: int, size: int) -> bytes:
        while not self._poll.poll(STALL_MS):
            # The last bytes may have come before the sender died.
            if self._is_cut() and not self._poll.poll(0):
                raise CutError("a worker was killed while it sent a result")
        return os.read(handle, size)

    def _recv_bytes(self, maxsize: int | None = None) -> Any:
        while True:
            self._number += 1
            try:
                return _recv_bytes(self._connection(), maxsize)
            except CutError:
                continue


def give_up(connection: Any) -> None:
    """
    Give up the message that is being read from a pool's connection.
    """
    read = vars(connection).get("_recv")
    if read is not None:
        read.__self__.give_up()


class ResultReaders:
    """
    The readers of pools.
    """

    def __init__(self) -> None:
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()

    def note(self, pool: Any) -> None:
        """
        Read the results of a pool or executor from now on.
        """
        if hasattr(pool, "_outqueue"):
            self.read(pool._outqueue._reader)
            return
        queue, processes = pool._result_queue, pool._processes
        if queue is not None and processes is not None:
            # An executor is broken as soon as a worker has died.
            self.read(
                queue._reader,
                lambda: any(x.exitcode is not None for x in list(processes.values())),
            )

    def read(self, connection: Any, is_cut: Callable[[], bool] | None = None) -> None:
        """
        Read from a connection from now on.
        """
        if "_recv" in vars(connection):
            return
        with self._lock:
            if "_recv" not in vars(connection):
                self._connections.add(connection)
                ResultReader(connection, is_cut)

    def close(self) -> None:
        """
        Let all pools read as Python does.
        """
        for connection in list(self._connections):
            for name in ("_recv", "_recv_bytes"):
                vars(connection).pop(name, None)
        self._connections.clear()
