"""
Where the numbers of shared objects come from, for those who tell of tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..stats.exits import signal_name

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Options", "Sources", "options"]


#: Killed workers that are remembered.
MOST_KILLED = 1000


class Sources(NamedTuple):
    """
    The numbers of a server.

    Attributes:
        handed: Gives how often objects were handed over, and the bytes not copied.
        waits: Gives the seconds that clients have waited, by the object's path.
    """

    handed: Callable[[], tuple[int, int]]
    waits: Callable[[], dict[str, float]]


class Options:
    """
    What the session and the settings say.

    Attributes:
        sources: The numbers of shared objects; None while nothing is shared.
        arguments: Whether the arguments of tasks are written down.
        killed: The workers that were killed at a task, the last ones, and how.
    """

    sources: Sources | None = None
    arguments: bool = True

    def __init__(self) -> None:
        self.killed: dict[int, str] = {}

    def note_killed(self, process: Any) -> None:
        """
        Note that a worker has ended at a task, and not by its pool.
        """
        code = process.exitcode or 0
        how = f"killed by {signal_name(-code)}" if code < 0 else "ended"
        self.killed[process.pid] = f"{process.name} {how}"
        if len(self.killed) > MOST_KILLED:
            self.killed.pop(next(iter(self.killed)), None)


#: Those of this process.
options: Options = Options()
