"""
Locks that clients acquired by their methods, which are released when a client ends.
"""

from __future__ import annotations

import _multiprocessing
import contextlib
import multiprocessing.synchronize
import threading
from typing import Any, NamedTuple, Protocol

__all__ = ["Acquired"]

#: The kind of a multiprocessing lock that anybody may release.
SEMAPHORE = 1


class Owner(Protocol):
    """
    A client thread.
    """

    process: Any

    @property
    def name(self) -> str:
        """
        What messages call it.
        """
        ...


class Acquired(NamedTuple):
    """
    A lock that a client acquired by its method and did not release.
    """

    lock: Any
    thread: Owner

    def release(self) -> None:
        """
        Release it, since its client has ended, where one process at a time has it.

        A semaphore may be there to be released by somebody else, and a lock that
        belongs to a thread is released by that thread.
        """
        if _is_mutex(self.lock):
            with contextlib.suppress(RuntimeError, ValueError):  # it is free
                self.lock.release()


def _is_mutex(lock: Any) -> bool:
    if isinstance(lock, (type(threading.Lock()), multiprocessing.synchronize.Lock)):
        return True
    semaphore = isinstance(lock, _multiprocessing.SemLock)
    return semaphore and (lock.kind, lock.maxvalue) == (SEMAPHORE, 1)
