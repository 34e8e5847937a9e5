"""
Metering: how a worker begins to count its tasks.
"""

from __future__ import annotations

import functools
import itertools
import os
import time
from typing import Any

from . import worker
from .meter import Meter, options
from .slots import Slot
from .worker_loop import find_in_loop

__all__ = ["Metering", "add_meter"]

#: By the name of a worker's loop, the name of its queue of tasks.
QUEUES = {"worker": "inqueue", "_process_worker": "call_queue"}

_numbers = itertools.count(1)


class Metering(worker.WorkerFeature):
    """
    Notes when a worker was ready for tasks.

    Args:
        meter: What counts.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def has_started(self) -> None:
        """
        Note that it is ready now, and when its first task comes.
        """
        self._meter.is_ready()
        _see_first_task(self._meter)


def add_meter(pool: int, arguments: bool) -> None:
    """
    Let this worker count its tasks, if it is on the board.

    Args:
        pool: The number of its pool.
        arguments: Whether the arguments of tasks are written down.
    """
    options.arguments = arguments
    for slot in worker.features:
        if isinstance(slot, Slot):
            # Processes may have the same number one after the other.
            number = time.time_ns() << 8 | next(_numbers) & 0xFF
            number = (number ^ os.getpid()) & (1 << 64) - 1 or 1
            slot.meter = Meter(slot.board.meter(), number, pool)
            worker.add(Metering(slot.meter))


class _Once:
    """
    The reading end of a queue of tasks, until the first one has come.
    """

    def __init__(self, before: Any, meter: Meter, undo: Any) -> None:
        self._before = before
        self._meter = meter
        self._undo = undo

    def recv_bytes(self) -> Any:
        data = self._before.recv_bytes()
        self._meter.arrived()
        self._undo()
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._before, name)


def _see_first_task(meter: Meter) -> None:
    """
    Let the worker note when its first task comes out of the queue.

    What it does from then on until the task begins is to rebuild it, which imports
    what it needs.
    """
    queue = find_in_loop(QUEUES)
    if queue is None:
        return
    # `SimpleQueue` uses the one, `Queue` what it has taken from it.
    reader = getattr(queue, "_reader", None)
    taken = vars(queue).get("_recv_bytes")
    if taken is not None:
        undo = functools.partial(setattr, queue, "_recv_bytes", taken)
        queue._recv_bytes = _Once(reader, meter, undo).recv_bytes
    elif reader is not None:
        undo = functools.partial(setattr, queue, "_reader", reader)
        queue._reader = _Once(reader, meter, undo)
