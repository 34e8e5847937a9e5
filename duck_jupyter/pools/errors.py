"""
What becomes of tasks that were stopped, and of those whose worker died.
"""

from __future__ import annotations

__all__ = ["TaskInterrupted", "WorkerDied"]


class TaskInterrupted(Exception):
    """
    A task was stopped, or was not begun, because its cell was interrupted.
    """


class WorkerDied(Exception):
    """
    A worker ended in the midst of a task.
    """
