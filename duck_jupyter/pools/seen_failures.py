"""
Failures of tasks by kind: function, type and message.
"""

from __future__ import annotations

import ast
import hashlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..stats.error_log import with_pid
from ..stats.rows import ErrorRow
from ..stats.workers import process_name
from .clock import epoch_offset
from .meter_reading import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .meter_reading import Reading
    from .seen_state import SeenRun

__all__ = ["Failures", "failures_of"]

#: Kinds that are kept, the newest.
MOST = 50
RUN_HERE = "Run the task here, where a debugger reaches it."
LOST = (
    "Its worker was killed. Interrupt the cell if it still waits; make a new pool if "
    "this one is broken."
)


class Failures:
    """
    The kinds of errors that tasks have raised, and the tasks whose workers were killed.
    """

    def __init__(self) -> None:
        self._rows: dict[str, ErrorRow] = {}
        # Counts of runs that go on, which only grow: by run, row's key and meter.
        self._counts: dict[tuple[int, str, int], int] = {}

    def read(self, reading: Reading, pid: int, runs: Mapping[int, SeenRun]) -> None:
        """
        Take what a worker has counted.
        """
        for kind in reading.kinds:
            run = runs.get(kind.run)
            if run is None:
                continue
            key = _key_of("task", run.function, kind.type, kind.message)
            place = kind.run, key, reading.id
            news = kind.times - self._counts.get(place, 0)
            if news > 0:
                self._counts[place] = kind.times
                self._add(key, "task", run, kind, news, pid)

    def lost(
        self, run: SeenRun, reading: Reading, pid: int, now: float, words: str
    ) -> None:
        """
        Note a task whose worker was killed.
        """
        kind = Kind(run.number, 1, now, now, reading.arguments, "WorkerDied", words)
        key = _key_of("lost", run.function, "", "")
        self._add(key, "lost", run, kind, 1, pid)

    def forget(self, run: int) -> None:
        """
        Drop the counts of a run that is over; its rows stay.
        """
        for place in [each for each in self._counts if each[0] == run]:
            del self._counts[place]

    def rows(self) -> tuple[ErrorRow, ...]:
        """
        Give a row for each kind, the newest first.
        """
        return tuple(sorted(self._rows.values(), key=lambda row: -row.last))

    def _add(
        self,
        key: str,
        kind: str,
        run: SeenRun,
        found: Kind,
        count: int,
        pid: int,
    ) -> None:
        offset = epoch_offset()
        is_task = kind == "task"
        row = self._rows.get(key) or ErrorRow(
            key=key,
            type=found.type,
            object=run.function,
            idx=0,
            objects=1,
            message=found.message,
            cut="",
            count=0,
            first=found.first + offset,
            last=0.0,
            pids=(),
            worker="",
            ways_out=(),
            traceback="",
            kind="task" if is_task else "lost",
        )
        ways = _ways_out(run, found.arguments) if is_task else ((LOST, ""),)
        self._rows[key] = replace(
            row,
            message=found.message,
            count=row.count + count,
            last=max(row.last, found.last + offset),
            pids=with_pid(row.pids, pid),
            worker=process_name(pid),
            ways_out=ways,
            run=run.number,
            arguments=found.arguments,
        )
        if len(self._rows) > MOST:
            oldest = min(self._rows.values(), key=lambda each: each.last)
            del self._rows[oldest.key]


def failures_of(run: int, readings: list[Reading]) -> tuple[tuple[str, int], ...]:
    """
    Count the failed tasks of a run by the type of their error, the most first.
    """
    found: dict[str, int] = {}
    for reading in readings:
        for kind in reading.kinds:
            if kind.run == run:
                found[kind.type] = found.get(kind.type, 0) + kind.times
    return tuple(sorted(found.items(), key=lambda each: -each[1]))


def _ways_out(run: SeenRun, arguments: str) -> tuple[tuple[str, str], ...]:
    line = f"{run.function}({arguments})"
    if run.module != "__main__" or not _can_be_typed(line):
        return ()
    return ((RUN_HERE, line),)


def _can_be_typed(line: str) -> bool:
    """
    Tell whether a call can be typed as it is: a name, and arguments that are literals.
    """
    try:
        call = ast.parse(line, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return False
        for each in (*call.args, *(word.value for word in call.keywords)):
            ast.literal_eval(each)
    except (SyntaxError, ValueError):
        return False
    return "…" not in line


def _key_of(*words: str) -> str:
    return hashlib.blake2b("\0".join(words).encode(), digest_size=8).hexdigest()
