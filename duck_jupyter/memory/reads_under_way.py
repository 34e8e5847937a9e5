"""
Reads under way: whether a thread of this process may still read into pages.

A read that bypasses the page tables, as with ``O_DIRECT`` or from a FUSE file with
``direct_io``, is noted when the kernel takes the pages, and fills them at any time
until the system call returns. A page that was protected in between is written to
without a note. So pages are trusted only after every thread has been seen outside of
such a read since they were protected: from then on a read takes the pages again, and
that is noted.

``/proc/self/task/*/syscall`` shows the state of each thread (see proc_pid_syscall(5)).
A blocked thread shows its system call with its arguments. ``running`` means that the
thread is running or ready to run, in the program or in the kernel. This proves nothing,
and the thread is checked again later. Only calls that are known not to read count as
harmless, and reads into a buffer elsewhere; every other call may be a read.

A thread that ends is in no system call. A list of threads may miss one if another one
ends meanwhile (``proc_task_readdir`` of the kernel). So a list counts only if all of
its threads still exist after the check.

`private_memory` handles reads for which no thread waits; it checks for rings of the
kernel. A driver is not detected if it writes to memory after the call has returned, and
if neither a descriptor of a ring nor a mapping shows it.
"""

from __future__ import annotations

import errno
import functools
import math
import platform
import time
from typing import TYPE_CHECKING, NamedTuple

from .procfs import list_names, open_folder, pause, read_text
from .userfaultfd import PageRange

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["THREADS", "ReadsUnderWay", "is_forked"]

#: The folder with the system's files about the threads of this process.
THREADS = "/proc/self/task"
#: How often a check is repeated if threads end meanwhile.
MOST_TRIES = 3
#: How often one check looks at a thread that may be reading. A thread that runs Python
#: code soon waits for Python's lock, which the check holds.
GLANCES = 2
#: The kernel's PF_FORKNOEXEC: a process that was forked and runs the same program.
FORKED = 0x40

#: Names of system calls, and their numbers by machine.
Numbers = dict[str, tuple[int | None, int | None]]
#: The machines with known system calls, in the order of their numbers.
MACHINES = ("x86_64", "aarch64")
#: Calls that write to no memory of the program, or only through its page tables.
HARMLESS: Numbers = {
    "futex": (202, 98),
    "futex_waitv": (449, 449),
    "futex_wait": (455, 455),
    "select": (23, None),
    "pselect6": (270, 72),
    "poll": (7, None),
    "ppoll": (271, 73),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "epoll_pwait2": (441, 441),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "restart_syscall": (219, 128),
    "sched_yield": (24, 124),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "pause": (34, None),
    "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133),
    "accept": (43, 202),
    "accept4": (288, 242),
    "connect": (42, 203),
    "write": (1, 64),
    "writev": (20, 66),
    "pwrite64": (18, 68),
    "pwritev": (296, 70),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "fcntl": (72, 25),
    "flock": (73, 32),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
#: Calls that write to one buffer: the second argument, with the third as its size.
READS: Numbers = {
    "read": (0, 63),
    "pread64": (17, 67),
    "recvfrom": (45, 207),
}


class _Calls(NamedTuple):
    """
    The numbers of this machine's system calls.
    """

    harmless: frozenset[int]
    reads: frozenset[int]


@functools.cache
def _calls() -> _Calls:
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in MACHINES:
        raise OSError("the numbers of this machine's system calls are not known")
    at = MACHINES.index(machine)

    def numbers(table: Numbers) -> frozenset[int]:
        return frozenset(x for pair in table.values() if (x := pair[at]) is not None)

    return _Calls(numbers(HARMLESS), numbers(READS))


def is_forked() -> bool:
    """
    Return whether this process was forked, and has run no other program since.

    Such a process has pages in common with its parent. A read that a thread of the
    parent began before the fork may fill them in both, and the child cannot see that
    thread.

    Raises:
        OSError: The system does not provide this information.
    """
    with open_folder("/proc/self") as process:
        # The second field is the program's name, in parentheses; the name may contain
        # others.
        fields = read_text(process, "stat").rpartition(")")[2].split()
    return bool(int(fields[6]) & FORKED)


class ReadsUnderWay:
    """
    Finds the time since when no thread can be inside a read into some pages.

    Args:
        ranges: The pages.
        folder: The folder with the system's files about the threads.
    """

    def __init__(self, ranges: Iterable[PageRange], folder: str = THREADS) -> None:
        self._ranges = list(ranges)
        self._folder = folder
        #: When each thread was last seen outside of a read, by thread number.
        self._seen: dict[str, float] = {}

    def look(self, since: float) -> float:
        """
        Check the threads.

        Args:
            since: The requested time, in seconds of the monotonic clock. Threads that
                were seen outside of a read since then are skipped.

        Returns:
            A time of the same clock: all reads that began before it have ended. Minus
            infinity if no such time is known.

        Raises:
            OSError: The system does not provide this information.
        """
        calls = _calls()
        with open_folder(self._folder) as threads:
            for _ in range(MOST_TRIES):
                now = time.monotonic()
                names = list_names(threads)
                seen = {name: self._seen.get(name, -math.inf) for name in names}
                for glance in range(GLANCES):
                    late = [name for name in names if seen[name] < since]
                    if glance and late:
                        pause()
                    for name in late:
                        if self._is_outside(calls, threads, name):
                            seen[name] = now
                if set(names).issubset(list_names(threads)):
                    self._seen = seen
                    return min(seen.values(), default=-math.inf)
        return -math.inf

    def _is_outside(self, calls: _Calls, threads: int, name: str) -> bool:
        """
        Return whether a thread was seen outside of any read into the pages.
        """
        try:
            words = read_text(threads, f"{name}/syscall").split()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ESRCH):
                return False  # it has ended, so the list of threads does not count
            raise
        # Threads that the kernel adds for its rings have no program counter.
        if len(words) < 3 or not int(words[-1], 16):
            return False
        number = int(words[0])
        if number in calls.reads:
            start, size = int(words[2], 16), int(words[3], 16)
            buffer = PageRange(start, start + size)
            return not any(pages.overlaps(buffer) for pages in self._ranges)
        return number == -1 or number in calls.harmless  # -1: in no system call
