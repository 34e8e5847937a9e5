"""
Standstill: whether the workers of a pool run, and whether they wait for one lock.

A lock of multiprocessing does not know who holds it. But the system tells at which call
each process is, and how often it has stopped. If all workers wait for the lock, and no
worker has gone on between a first and a second look, they all waited at one moment.
Then no worker has the lock.

Source of the fields: proc(5), ``syscall``, ``maps`` and ``status``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["all_wait_for", "progress_of", "state_of"]


class Progress(NamedTuple):
    """
    How far the main thread of a process has come.

    Attributes:
        state: One letter, as "R" or "S"; "X" if the process is gone.
        stops: How often it has stopped, by itself or for others.
    """

    state: str
    stops: int


GONE = Progress("X", 0)


def state_of(pid: int) -> str:
    """
    Give a process's state: one letter, "X" if the process is gone.
    """
    return progress_of(pid).state


def progress_of(pid: int) -> Progress:
    """
    Tell how far a process has come.

    Two equal answers whose state is "S" mean that it has not run in between.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
    except OSError:
        return GONE
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    stops = sum(int(fields[name]) for name in fields if name.endswith("ctxt_switches"))
    return Progress(fields["State"].split()[0], stops)


def all_wait_for(lock: Any, pids: Iterable[int]) -> bool:
    """
    Tell whether processes wait for a lock of multiprocessing, all at one moment.

    Args:
        lock: The lock, as this process has it.
        pids: The processes. If there are none, the answer is True.

    Returns:
        False also if the system does not tell.
    """
    looks = {pid: progress_of(pid) for pid in pids}
    file = _file_at("self", lock._semlock.handle)
    if not file or not all(_file_of_wait(pid) == file for pid in looks):
        return False
    return all(progress_of(pid) == look for pid, look in looks.items())


def _file_of_wait(pid: int) -> str:
    """
    Name the file in whose memory is what the main thread waits for; "" if none.
    """
    try:
        call = Path(f"/proc/{pid}/syscall").read_text("ascii").split()
    except OSError:
        return ""
    # "running", or the number of the call and its arguments: what a thread waits for is
    # the first of futex(2). No other call gets an address in a semaphore's memory.
    return _file_at(pid, int(call[1], 16)) if len(call) > 1 else ""


def _file_at(process: int | str, address: int) -> str:
    """
    Name the file that is mapped at an address, as its device and inode; "" if none is.
    """
    try:
        lines = Path(f"/proc/{process}/maps").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        bounds, _, _, device, inode, *_ = line.split(maxsplit=5)
        first, end = (int(bound, 16) for bound in bounds.split("-"))
        if first <= address < end:
            return f"{device} {inode}" if inode != "0" else ""
    return ""
