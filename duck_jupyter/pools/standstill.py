"""
Standstill: whether the workers of a pool run, and what they wait for.

A lock of multiprocessing does not know who holds it. But the system tells at which call
each process is, and how often it has stopped. If all workers wait, for the lock or at a
place where none of them holds it, and none has gone on between a first and a second
look, they all waited at one moment. Then no worker has the lock.

Source of the fields: proc(5), ``syscall``, ``maps`` and ``status``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..memory.process_state import has_ended

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Thread

__all__ = ["all_wait_for", "living", "progress_of", "waits_for_message"]


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
#: Where the arguments of a system call are in what the system tells.
FIRST, SIZE = 1, 3


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


def all_wait_for(things: Iterable[Any], pids: Iterable[int]) -> bool:
    """
    Tell whether each of some processes waits for one of some things, at one moment.

    Args:
        things: Locks of multiprocessing, and ends of pipes from which the processes
            read, as this process has them.
        pids: The processes. If there are none, the answer is True.

    Returns:
        False also if the system does not tell.
    """
    looks = {pid: progress_of(pid) for pid in pids}
    files = {_file_of(thing) for thing in things} - {""}
    if not all(_file_of_wait(pid) in files for pid in looks):
        return False
    return all(progress_of(pid) == look for pid, look in looks.items())


def living(pids: Iterable[int]) -> list[int]:
    """
    List the processes that have not ended.

    Exit codes are not read: reading one would collect the process.
    """
    return [pid for pid in pids if not has_ended(pid)]


def waits_for_message(thread: Thread, connection: Any) -> bool:
    """
    Tell whether a thread of this process waits for the first bytes of a message.

    Args:
        thread: The thread.
        connection: One of `multiprocessing`. It reads the size of a message by itself,
            which is four bytes. Only reads and writes have a descriptor as their first
            argument and a small size as their third.
    """
    call = _call_of(f"self/task/{thread.native_id}")
    if len(call) <= SIZE or (call[FIRST], call[SIZE]) != (connection.fileno(), 4):
        return False
    return not connection.poll(0)


def _file_of(thing: Any) -> str:
    lock = getattr(thing, "_semlock", None)
    if lock is not None:
        return _file_at("self", lock.handle)
    return _file_of_descriptor("self", thing.fileno())


def _file_of_wait(pid: int) -> str:
    """
    Name the file for which the main thread waits; "" if none.

    It is one in whose memory a lock is, or one from which the thread reads.
    """
    call = _call_of(str(pid))
    if len(call) <= FIRST:
        return ""
    # The first argument of futex(2) is the address of what a thread waits for, and that
    # of read(2) a descriptor. No other call gets an address in a semaphore's memory.
    return _file_of_descriptor(pid, call[FIRST]) or _file_at(pid, call[FIRST])


def _file_of_descriptor(process: int | str, descriptor: int) -> str:
    """
    Name the pipe that a process has as a descriptor; "" if it is none.
    """
    try:
        name = str(Path(f"/proc/{process}/fd/{descriptor}").readlink())
    except OSError:
        return ""
    return name if name.startswith("pipe:") else ""


def _call_of(process: str) -> list[int]:
    """
    Give the number of the system call at which a thread is, and its arguments.

    Returns:
        An empty list if it runs, or the system does not tell.
    """
    try:
        words = Path(f"/proc/{process}/syscall").read_text("ascii").split()
        return [int(word, 0) for word in words]
    except (OSError, ValueError):
        return []


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
