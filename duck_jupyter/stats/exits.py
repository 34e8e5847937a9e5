"""
How a worker ended, in words.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .worker_rows import How

__all__ = ["DISCONNECTED", "End", "end_of", "signal_name"]


class End(NamedTuple):
    """
    The end of a process.
    """

    how: How
    words: str


#: What is known of a worker of a cluster, unless the cluster says more.
DISCONNECTED = End("gone", "disconnected")


def end_of(exit_code: int | None) -> End:
    """
    Describe how a process ended.

    Args:
        exit_code: As `multiprocessing.Process.exitcode`.
    """
    if exit_code is None:
        return End("gone", "gone")
    if exit_code >= 0:
        if not exit_code:
            return End("ended", "ended")
        return End("failed", f"failed with exit code {exit_code}")
    name = signal_name(-exit_code)
    # SIGTERM asks a process to end. A pool sends it to its idle workers.
    if exit_code == -signal.SIGTERM:
        return End("ended", f"ended by {name}")
    return End("killed", f"killed by {name}")


def signal_name(number: int) -> str:
    """
    Name a signal, such as ``SIGKILL``.
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
