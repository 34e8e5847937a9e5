"""
Meter: what a worker counts of its tasks, in shared memory that the notebook reads.

Nothing is sent, nothing is locked, and no system call is made for a task. Each counter
is one word with one writer, so that a worker that is killed at any step leaves numbers
that are right but for the task that it was at.
"""

from __future__ import annotations

import contextlib
import os
import time
from math import log2
from sys import modules
from typing import TYPE_CHECKING, Any

from . import meter_layout as at
from .arguments import short_arguments
from .meter_layout import (
    ARGS,
    BEGAN,
    BEGUN,
    BUCKETS,
    BUCKETS_AT,
    COMPUTING,
    DONE,
    ENDED,
    HAND,
    PER_OCTAVE,
    SINCE,
    UNTIL,
    WAITED_AT,
    bucket_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LONG_S", "WORTH_WRITING_S", "Meter", "Options", "options"]

#: Seconds from which on a task is shown by itself.
LONG_S = 0.5
#: Seconds. Where the last task took as long, the arguments of the next one are written
#: before it begins, so that they are known while it runs.
WORTH_WRITING_S = 0.01
#: The module that knows what a thread waited for the notebook.
WAITED = "duck_jupyter.client.registry"
MICROS = 1e6


class Options:
    """
    What a worker is told.

    Attributes:
        arguments: Whether the arguments of tasks are written down.
    """

    arguments: bool = True


#: Those of this process.
options: Options = Options()


class Meter:
    """
    The counters of this worker.

    Args:
        memory: Its meter, as bytes that can be written to.
        number: Not 0, and of no other worker.
        pool: The number of its pool, 0 if it is not known.
    """

    def __init__(self, memory: memoryview, number: int, pool: int) -> None:
        self._bytes = memory
        self._words = words = memory.cast("Q")
        self._floats = memory.cast("d")
        words[at.ID] = 0
        self._bytes[: at.CELLS_AT * 8] = bytes(at.CELLS_AT * 8)
        words[at.POOL] = pool
        self._floats[at.STARTED] = _started()
        words[at.ID] = number
        # The cells by run, the least recent one first.
        self._cells: dict[int, int] = {}
        self._kinds: dict[tuple[int, str, str], int] = {}
        # Of the cell of the task in hand: its first word, its words, its number from 1
        # on, and its run.
        self._cell = at.CELLS_AT
        self._cell_words = words[at.CELLS_AT : at.CELLS_AT + at.CELL_WORDS]
        self._cell_floats = self._floats[at.CELLS_AT : at.CELLS_AT + at.CELL_WORDS]
        self._hand = 1
        self._run = 0
        self._since = 0.0
        # Seconds from which on a task is one of the slowest of its run.
        self._least = 0.0
        #: Seconds that the last item took; 0 before the first of its run.
        self.took: float = 0.0
        # What says how long this thread has waited, once it can have called.
        self._waited: Callable[[], float] | None = None
        self._waited_at = self._waited_in_item = 0.0
        self._has_args = False
        #: Of a batch of joblib, the call at work: function and arguments.
        self.call: Any = None

    def is_ready(self) -> None:
        """
        Note that the worker has started.
        """
        self._floats[at.READY] = time.monotonic()

    def arrived(self) -> None:
        """
        Note that the bytes of the first task have come.
        """
        self._floats[at.ARRIVED] = time.monotonic()

    def begin(self, run: int, items: int, now: float) -> None:
        """
        Note that a task begins.

        Args:
            run: The number of its run.
            items: How many items it has.
            now: The time.
        """
        words, floats = self._words, self._floats
        if run != self._run:
            self._use_cell(run, now)
        cell = self._cell_words
        cell[BEGUN] += items
        self._cell_floats[BEGAN] = now
        words[UNTIL] = cell[DONE] + items
        if self._waited is not None:
            self._waited_at = floats[WAITED_AT] = self._waited()
        elif WAITED in modules:
            self._begin_to_wait()
        self._since = floats[SINCE] = now
        words[HAND] = self._hand

    def show(self, args: Any, kwargs: dict[str, Any]) -> None:
        """
        Write the arguments of the item that begins, if that is worth its time.
        """
        if not self.took or self.took > WORTH_WRITING_S:
            self._write(at.TEXT_AT, at.TEXT_WORDS, _text_of(args, kwargs))
            self._words[ARGS] = 1
            self._has_args = True

    def item(self, now: float, args: Any, kwargs: dict[str, Any]) -> None:
        """
        Note that the item in hand has ended well, and the next one begins.

        Args:
            now: The time.
            args: The arguments of the one that has ended.
            kwargs: Those by name.
        """
        words, times = self._cell_words, self._cell_floats
        took = now - self._since
        if self._waited is None and WAITED not in modules:
            times[COMPUTING] += took
        else:
            self._count_waiting(took)
        self.took = took
        # This is `bucket_of`, without the time of a call.
        micros = took * MICROS
        bucket = int(log2(micros) * PER_OCTAVE) + 1 if micros >= 1.0 else 0
        words[BUCKETS_AT + (bucket if bucket < BUCKETS else BUCKETS - 1)] += 1
        times[ENDED] = now
        words[DONE] += 1
        if took > self._least:
            self._note_slow(took, now, args, kwargs)
            if took >= LONG_S:
                self._note_long(now, self._waited_in_item, _text_of(args, kwargs))
        self._since = self._floats[SINCE] = now
        if self._has_args:
            self._has_args = False
            self._words[ARGS] = 0

    def items(self, count: int, now: float) -> None:
        """
        Note that items have ended which are too short to be timed one by one.
        """
        words, times = self._cell_words, self._cell_floats
        took = now - self._since
        if self._waited is None and WAITED not in modules:
            times[COMPUTING] += took
        else:
            self._count_waiting(took)
        self.took = took / count
        words[BUCKETS_AT + bucket_of(took / count)] += count
        times[ENDED] = now
        words[DONE] += count
        if took > WORTH_WRITING_S and took > self._least:
            # One of them was slow, and nobody knows which.
            self._note_slow(took, now, None, {})
        self._since = self._floats[SINCE] = now
        if self._has_args:
            self._has_args = False
            self._words[ARGS] = 0

    def fail(self, error: BaseException, args: Any, kwargs: dict[str, Any]) -> None:
        """
        Note that the item in hand has raised, which ends its task.
        """
        words, cell = self._words, self._cell
        now, since = time.monotonic(), self._since
        text = _text_of(args, kwargs)
        self._least, least = float("inf"), self._least
        self.item(now, args, kwargs)
        self._least = least
        words[cell + at.FAILED] += 1
        words[cell + at.CUT] += max(words[at.UNTIL] - words[cell + at.DONE], 0)
        texts = text, type(error).__name__, _message_of(error)
        self._note_kind(now, texts)
        if now - since > least:
            self._note_slow(now - since, now, args, kwargs)
        if now - since >= LONG_S:
            self._note_long(now, self._waited_in_item, *texts, since=since)

    def cut(self) -> None:
        """
        Note that the task in hand has ended before its items, as it was interrupted.
        """
        words, cell, now = self._words, self._cell, time.monotonic()
        if self._waited is None and WAITED not in modules:
            self._cell_floats[COMPUTING] += now - self._since
        else:
            self._count_waiting(now - self._since)
        self._cell_floats[ENDED] = now
        words[cell + at.CUT] += max(words[at.UNTIL] - words[cell + at.DONE], 0)

    def end(self) -> None:
        """
        Note that the worker has no task.
        """
        # It may hold large data, which an idle worker must not keep.
        self.call = None
        self._words[HAND] = 0

    # What is not done for each task.

    def _use_cell(self, run: int, now: float) -> None:
        words, floats = self._words, self._floats
        if not words[at.CELL]:
            floats[at.FIRST] = now
        cell = self._cells.pop(run, 0)
        if not cell:
            number = words[at.CELL]
            cell = at.CELLS_AT + number % at.CELLS * at.CELL_WORDS
            if number >= at.CELLS:
                self._drop_cell(cell)
            self._bytes[cell * 8 : (cell + at.CELL_WORDS) * 8] = bytes(
                at.CELL_WORDS * 8
            )
            words[cell + at.RUN] = run
            floats[cell + at.FROM] = now
            words[at.CELL] = number + 1
        self._cells[run] = self._cell = cell
        self._cell_words = words[cell : cell + at.CELL_WORDS]
        self._cell_floats = floats[cell : cell + at.CELL_WORDS]
        self._hand = (cell - at.CELLS_AT) // at.CELL_WORDS + 1
        self._run = run
        self.took = 0.0
        self._least = min(floats[place] for place in self._slow_places())

    def _drop_cell(self, cell: int) -> None:
        words, floats = self._words, self._floats
        self._cells = {run: x for run, x in self._cells.items() if x != cell}
        for number, word in enumerate(at.SUMS):
            kind: Any = floats if word in (at.COMPUTING, at.WAITING) else words
            kind[at.PAST + number] += kind[cell + word]

    def _slow_places(self) -> list[int]:
        first = self._cell + at.SLOW_AT
        return [first + i * at.SLOW_WORDS for i in range(at.SLOWEST)]

    def _note_slow(
        self, took: float, now: float, args: Any, kwargs: dict[str, Any]
    ) -> None:
        floats, places = self._floats, self._slow_places()
        place = min(places, key=lambda each: floats[each])
        if took <= floats[place]:
            return
        floats[place] = 0.0
        floats[place + 1] = now
        self._write(place + 2, at.TEXT_WORDS, _text_of(args, kwargs))
        floats[place] = took
        self._least = min(floats[each] for each in places)

    def _note_long(
        self,
        now: float,
        waited: float,
        arguments: str,
        kind: str = "",
        message: str = "",
        since: float = 0.0,
    ) -> None:
        words, floats = self._words, self._floats
        number = words[at.LONG]
        place = at.LONGS_AT + number % at.LONGS * at.LONG_WORDS
        words[place + at.LONG_RUN] = self._run
        floats[place + at.LONG_BEGAN] = since or self._since
        floats[place + at.LONG_ENDED] = now
        floats[place + at.LONG_WAITED] = waited
        texts = arguments, kind, message
        for (first, size), text in zip(at.LONG_TEXTS, texts, strict=True):
            self._write(place + first, size, text)
        words[at.LONG] = number + 1

    def _note_kind(self, now: float, texts: tuple[str, str, str]) -> None:
        words, floats = self._words, self._floats
        key = self._run, *texts[1:]
        number = self._kinds.get(key)
        if number is None:
            # Where there are too many the last place has all others.
            number = self._kinds[key] = min(words[at.KIND], at.KINDS - 1)
        place = at.KINDS_AT + number * at.KIND_WORDS
        if number == words[at.KIND]:
            words[place + at.KIND_RUN] = self._run
            floats[place + at.KIND_FIRST] = now
            words[at.KIND] = number + 1
        for (first, size), text in zip(at.KIND_TEXTS, texts, strict=True):
            self._write(place + first, size, text)
        floats[place + at.KIND_LAST] = now
        words[place + at.KIND_COUNT] += 1

    def _begin_to_wait(self) -> None:
        self._waited = modules[WAITED].waited_here
        self._waited_at = self._floats[WAITED_AT] = self._waited()

    def _count_waiting(self, took: float) -> None:
        """
        Divide the time of an item into that of calls of proxies, and the rest.
        """
        before = self._waited_at
        if self._waited is None:
            # The first call of this worker was made in this item.
            self._begin_to_wait()
        else:
            self._waited_at = self._waited()
        waited = self._waited_in_item = min(max(self._waited_at - before, 0.0), took)
        self._cell_floats[COMPUTING] += took - waited
        if waited:
            self._floats[WAITED_AT] = self._waited_at
            self._cell_floats[at.WAITING] += waited

    def _write(self, place: int, size: int, text: str) -> None:
        data = text.encode("utf-8", "replace")[: size * 8]
        self._bytes[place * 8 : (place + size) * 8] = data.ljust(size * 8, b"\0")


def _text_of(args: Any, kwargs: dict[str, Any]) -> str:
    if args is None or not options.arguments:
        return ""
    return short_arguments(args, kwargs)


def _message_of(error: BaseException) -> str:
    """
    Write what an error says, if that runs no code of the user's.
    """
    kind = type(error)
    if kind.__str__ in (BaseException.__str__, OSError.__str__, KeyError.__str__) and (
        all(type(arg) in (str, int, float, bool, type(None)) for arg in error.args)
    ):
        return str(error)
    return ""


def _started() -> float:
    """
    Say when this process started.
    """
    now = time.monotonic()
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat", encoding="utf-8") as file:  # noqa: PTH123 - no pathlib in workers
            # After the name, which may hold anything (proc_pid_stat(5)).
            fields = file.read().rpartition(")")[2].split()
        ticks = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return min(now - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks), now)
    return now
