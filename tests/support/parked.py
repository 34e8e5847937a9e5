"""
Threads that are blocked in a system call.
"""

from __future__ import annotations

import platform
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from duck_jupyter.memory.reads_under_way import HARMLESS, MACHINES, THREADS
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE_S = 10.0


def number_of(call: str) -> str:
    """
    Give the number of a harmless system call on this machine, as the kernel shows it.
    """
    return str(HARMLESS[call][MACHINES.index(platform.machine())])


def call_of(thread: threading.Thread) -> str:
    """
    Give the number of the system call that a thread is blocked in, or `running`.
    """
    return Path(THREADS, str(thread.native_id), "syscall").read_text().split()[0]


@contextmanager
def parked(
    call: Callable[[], object], release: Callable[[], object], *, in_lock: bool = False
) -> Iterator[threading.Thread]:
    """
    Run a call in a thread, until it is blocked in the kernel.

    Args:
        call: What the thread does.
        release: Lets the call return, at the end of the block.
        in_lock: What it waits for is a lock.
    """
    thread = threading.Thread(target=call)
    thread.start()
    # A thread that waits for Python's lock has not come to the call yet.
    others = {"running"} if in_lock else {"running", number_of("futex")}
    try:
        assert wait_until(lambda: call_of(thread) not in others, DEADLINE_S)
        yield thread
    finally:
        release()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
