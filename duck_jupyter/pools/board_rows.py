"""
What is read from the board: where it is, and the task of one worker.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["STARTING", "Entry", "Key"]

#: TASK is this while the worker runs the pool's initializer, and after it has failed.
STARTING = 1 << 62


class Key(NamedTuple):
    """
    The address of a board for workers.

    Attributes:
        pid: The notebook's process.
        memory: Its descriptor of the memory.
        alive: Its descriptor of the reading end of the pipe.
        output: Its descriptor of the writing end of the pipe for output.
        name: The name of the memory, to detect a descriptor that was closed and whose
            number another file has now.
    """

    pid: int
    memory: int
    alive: int
    output: int
    name: str


class Entry(NamedTuple):
    """
    The state of one worker.

    Attributes:
        pid: The worker.
        task: The number of the `Task`.
        run: The number of the cell's run that submitted it.
        seconds: How long the task has been running.
        item: The present item of its chunk, from 0; -1 if it is not known.
        chunk: The number of the chunk of a ``Pool.map``, from 0; -1 if it is none.
        heard: Whether the task was given a KeyboardInterrupt.
        is_sending: Whether the task has ended, and its result is being sent.
    """

    pid: int
    task: int
    run: int
    seconds: float
    item: int
    chunk: int
    heard: bool
    is_sending: bool

    @property
    def is_starting(self) -> bool:
        """
        Whether the worker runs the initializer of its pool, or has failed in it.
        """
        return self.task == STARTING
