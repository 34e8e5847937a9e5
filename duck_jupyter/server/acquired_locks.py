"""
Locks that clients acquired by method, which are released when a client ends.
"""

from __future__ import annotations

import _multiprocessing
import contextlib
import multiprocessing.synchronize
import threading
from typing import Any, NamedTuple, Protocol

__all__ = ["Acquired"]

#: The kind of a multiprocessing lock that any process may release.
SEMAPHORE = 1


class Owner(Protocol):
    """
    A client thread.
    """

    process: Any

    @property
    def name(self) -> str:
        """
        Its name in messages.
        """
        ...


class Acquired(NamedTuple):
    """
    A lock that a client acquired by its method and has not released.
    """

    lock: Any
    thread: Owner

    def release(self) -> None:
        """
        Release the lock after its client has ended, if only one process can hold it.

        A semaphore may be released by another process, and a lock that belongs to a
        thread is released by that thread.
        """
        if _is_mutex(self.lock):
            with contextlib.suppress(RuntimeError, ValueError):  # it is free
                self.lock.release()


def _is_mutex(lock: Any) -> bool:
    if isinstance(lock, (type(threading.Lock()), multiprocessing.synchronize.Lock)):
        return True
    semaphore = isinstance(lock, _multiprocessing.SemLock)
    return semaphore and (lock.kind, lock.maxvalue) == (SEMAPHORE, 1)
