"""
Whether another process has ended (proc(5), ``stat``), and whether one could tell.

``multiprocessing`` cannot tell this for a forked worker: its siblings hold the pipe
that would report it. It loads nothing, since each worker of a pool needs it.
"""

from __future__ import annotations

import os

__all__ = ["has_ended", "pid_namespace"]

#: States of a process that has ended, and was not yet waited for.
ENDED = (b"Z", b"X")
#: A flag of a process that is ending (``linux/sched.h``), and has closed its files.
PF_EXITING = 0x4


def has_ended(pid: int) -> bool:
    """
    Tell whether a process has ended, or is ending; False if the system does not tell.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return os.path.exists("/proc/self/stat")  # noqa: PTH110
    return fields[0] in ENDED or bool(int(fields[6]) & PF_EXITING)


def pid_namespace() -> int:
    """
    Return the number of the namespace that numbers this process; 0 if it is unknown.

    A container usually has a namespace of its own, where the number of a process
    outside means another process or none (pid_namespaces(7)).
    """
    try:
        return os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116
    except OSError:
        return 0
