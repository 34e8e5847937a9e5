"""
The memory that workers and the system use, and whether the system ran out of it.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Peaks", "System", "count_oom_kills", "read_system", "wait_with_usage"]

#: Seconds between two reads of the memory of workers that are not our children.
LOOK_S = 0.25
#: Seconds that may pass until a submitted task begins.
BEGIN_S = 5.0
#: The number of ended workers that are kept.
MOST = 200


class System(NamedTuple):
    """
    The memory that is available to this process and its workers, in bytes.
    """

    used: int
    total: int


def _groups() -> list[Path]:
    """
    Return the control groups of this process, the inner ones first (cgroups(7), v2).
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
            if line.startswith("0::/"):
                root = Path("/sys/fs/cgroup")
                here = root / line[4:]
                return [here, *(x for x in here.parents if x.is_relative_to(root))]
    return []


def read_system() -> System:
    """
    Read the memory of the system, or of the control group whose limit is lower.
    """
    memory = psutil.virtual_memory()
    found = System(memory.total - memory.available, memory.total)
    for group in _groups():
        with contextlib.suppress(OSError, ValueError):
            # Without a limit it says "max".
            limit = int((group / "memory.max").read_text("utf-8"))
            used = int((group / "memory.current").read_text("utf-8"))
            if limit < found.total:
                found = System(used, limit)
    return found


def count_oom_kills() -> int:
    """
    Count the processes that the system has killed because memory ran out.
    """
    count = 0
    files = [Path("/proc/vmstat"), *(x / "memory.events" for x in _groups())]
    for file in files:
        with contextlib.suppress(OSError):
            for line in file.read_text("utf-8").splitlines():
                if line.startswith("oom_kill "):
                    count += int(line.split()[1])
    return count


class Peaks:
    """
    The most memory that workers had, in bytes.

    The system reports it to the parent that collects the process. Workers of the fork
    server have another parent, so a thread reads their memory while they work.

    Args:
        running: Returns the processes that run a task.
    """

    def __init__(self, running: Callable[[], list[int]]) -> None:
        self._running = running
        self._of: dict[int, int] = {}
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._closed = False

    def get(self, pid: int) -> int | None:
        """
        Return the most memory that a worker had.
        """
        return self._of.get(pid)

    def note(self, pid: int, size: int) -> None:
        """
        Note the most memory that a worker had.
        """
        self._of[pid] = max(size, self._of.pop(pid, 0))
        if len(self._of) > MOST:
            self._of.pop(next(iter(self._of)), None)

    def watch(self) -> None:
        """
        Read the memory of the workers that run a task, until none has for a while.
        """
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._look, daemon=True, name="duck-peaks"
            )
            self._thread.start()
        if not self._wanted.is_set():
            self._wanted.set()

    def close(self) -> None:
        """
        End the thread.
        """
        self._closed = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        pause = threading.Event()
        while self._wanted.wait() and not self._closed:
            self._wanted.clear()
            # The task may begin later: a fork server takes a while to start.
            end = time.monotonic() + BEGIN_S
            while time.monotonic() < end and not self._closed:
                pause.wait(LOOK_S)
                pids = self._running()
                if pids:
                    end = time.monotonic() + BEGIN_S
                for pid in pids:
                    with contextlib.suppress(psutil.Error):
                        self.note(pid, psutil.Process(pid).memory_info().rss)


def wait_with_usage(peaks: Peaks) -> Callable[..., Any]:
    """
    Make a ``Popen.poll`` of multiprocessing that notes how much memory a process had.

    ``waitpid`` does not report it; ``wait4`` does (getrusage(2)).
    """

    def poll(self: Any, flag: int = os.WNOHANG) -> Any:
        if self.returncode is None:
            try:
                pid, status, usage = os.wait4(self.pid, flag)
            except OSError:
                # As in what it replaces: it does not run yet, or was waited for.
                return None
            if pid == self.pid:
                peaks.note(pid, usage.ru_maxrss * 1024)
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    return poll
