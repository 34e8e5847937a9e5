"""
Explaining: how a worker died, during which call, and whether memory ran out.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from ..stats.exits import signal_name
from .memory_use import System, count_oom_kills, read_system

if TYPE_CHECKING:
    from .board import Entry
    from .memory_use import Peaks

__all__ = ["Explainer"]

#: From this share of memory in use, a lack of memory is the likely cause of a SIGKILL.
FULL = 0.9


class Explainer:
    """
    Describes the death of a worker.

    Args:
        peaks: The most memory that workers had.
    """

    def __init__(self, peaks: Peaks) -> None:
        self._peaks = peaks
        self._oom_kills = 0

    def look(self) -> None:
        """
        Note how many processes the system has killed, to compare it later.
        """
        self._oom_kills = count_oom_kills()

    def explain(self, pid: int, code: int, entry: Entry | None, call: str) -> str:
        """
        Describe how a worker died.

        Args:
            pid: The worker.
            code: Its exit code; negative for a signal.
            entry: Its last state, or None if it was idle.
            call: The task, in short.
        """
        text = f"Worker {pid} {_how(code)} "
        if entry is not None and entry.is_starting:
            text += "while it ran the initializer of its pool"
            if code >= 0:
                text += ", which has failed: what it raised is printed above"
        elif entry is None:
            text += "while it was idle"
        else:
            what = "sent the result of" if entry.is_sending else "ran"
            text += f"while it {what} {call}, {entry.seconds:.1f} s after it began"
        peak = self._peaks.get(pid)
        if peak:
            text += f"; it had used up to {_size(peak)}"
        text += "."
        if code == -signal.SIGKILL:
            text += self._memory(peak or 0)
        return text

    def _memory(self, peak: int) -> str:
        now, before = count_oom_kills(), self._oom_kills
        self._oom_kills = now
        system = read_system()
        # The memory of the worker is free again.
        used = min(system.used + peak, system.total)
        text = f" {_size(used)} of {_size(system.total)} were in use"
        if now > before:
            return f"{text}: the system ran out of memory and killed {now - before}."
        if is_full(System(used, system.total)):
            return f"{text}: most likely the system ran out of memory."
        return f"{text}: memory was not short."


def is_full(system: System) -> bool:
    """
    Return whether the system is likely to kill processes for want of memory.
    """
    return system.used >= FULL * system.total


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal_name(-code)}"


def _size(count: int) -> str:
    if count >= 1e9:
        return f"{count / 1e9:,.1f} GB"
    return f"{count / 1e6:,.0f} MB"
