"""
Output: shows what workers print and display under the cell that submitted the task.

A thread reads the pipe into which the workers write. A cell that ends waits until what
was written before has been read: a worker writes before its pool sends the result.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import threading
import time
from typing import TYPE_CHECKING, Any

from .features import Feature
from .notebook import notebook
from .records import DISPLAY, MARK, STDERR, Reader, records_of
from .runs import runs
from .speaking import LogSettings, add_speaking

if TYPE_CHECKING:
    from .features import Call
    from .records import Record
    from .slots import Slots
    from .tasks import Task

__all__ = ["Output"]

#: Seconds that a cell waits at its end for the output of its workers.
DRAIN_S = 1.0
#: Seconds and bytes of output that become one message.
GATHER_S = 0.02
MOST_BYTES = 1 << 20
READ = 1 << 16
#: The message that ends the thread.
END = 0
#: The number of runs whose workers are kept.
MOST = 100


class Output(Feature):
    """
    Shows the output of workers.

    Args:
        slots: The owner of the board and its pipe.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._thread: threading.Thread | None = None
        self._marks: dict[int, threading.Event] = {}
        self._next_mark = 0
        self._reader = Reader()
        # Parts of messages that have not ended, by worker and kind.
        self._parts: dict[tuple[int, int], list[bytes]] = {}
        # Text for one stream of one run, which is not shown yet.
        self._text: list[str] = []
        self._text_run, self._text_stream = 0, "stdout"
        # By run: for each worker that has spoken, whether it is at the start of a line.
        self._speakers: dict[int, dict[tuple[int, int], bool]] = {}

    def worker_start(self, pool: Any) -> Call:
        """
        Send output from before the first task to the cell that makes the pool.
        """
        run = runs.of(pool)
        runs.note(run)
        self._start()
        return add_speaking, (self._slots.board.key, run.number, _log_settings())

    def before_submit(self, task: Task) -> None:
        """
        Read the pipe.
        """
        if self._thread is None:
            self._start()

    def cell_ends(self, error: BaseException | None) -> None:
        """
        Show the output from before the end of the cell.
        """
        if self._thread is not None:
            self._drain()

    def close(self) -> None:
        """
        Stop reading. Workers write to their former streams from now on.
        """
        if self._thread is not None:
            self._drain()
            self._mark(END)
            self._thread.join()
            self._thread = None
        self._slots.board.close_output()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._read, daemon=True, name="duck-output"
            )
            self._thread.start()

    def _drain(self) -> None:
        self._next_mark += 1
        number, event = self._next_mark, threading.Event()
        self._marks[number] = event
        try:
            self._mark(number)
            event.wait(DRAIN_S)
        finally:
            self._marks.pop(number, None)

    def _mark(self, number: int) -> None:
        data = str(number).encode("ascii")
        (record,) = records_of(0, os.getpid(), MARK, data)
        pipe = self._slots.board.key.output
        if select.select([], [pipe], [], DRAIN_S)[1]:
            os.write(pipe, record)

    # The thread.

    def _read(self) -> None:
        fd = self._slots.board.output
        while True:
            data = os.read(fd, READ)
            # One message for what comes within a moment: the kernel's socket drops
            # messages that are too many.
            end = time.monotonic() + GATHER_S
            while len(data) < MOST_BYTES and (left := end - time.monotonic()) > 0:
                if select.select([fd], [], [], left)[0]:
                    data += os.read(fd, READ)
            marks = []
            for record in self._reader.feed(data):
                if record.kind == MARK:
                    marks.append(int(record.data))
                    continue
                # A message that cannot be shown must not end the thread: workers
                # would block when the pipe is full.
                with contextlib.suppress(Exception):
                    self._take(record)
            with contextlib.suppress(Exception):
                self._flush()
            for number in marks:
                event = self._marks.get(number)
                if event is not None:
                    event.set()
            if END in marks:
                return

    def _take(self, record: Record) -> None:
        key = record.pid, record.kind
        parts = self._parts.setdefault(key, [])
        parts.append(record.data)
        if record.has_more:
            return
        data = b"".join(self._parts.pop(key))
        if record.kind == DISPLAY:
            self._flush()
            kind, content = json.loads(data)
            if notebook.shown is not None:
                notebook.shown.show(_header_of(record.run), kind, content)
            return
        stream = "stderr" if record.kind == STDERR else "stdout"
        if self._text and (self._text_run, self._text_stream) != (record.run, stream):
            self._flush()
        self._text_run, self._text_stream = record.run, stream
        self._text.append(self._labelled(record, data.decode("utf-8", "replace")))

    def _flush(self) -> None:
        """
        Show the text that was gathered.
        """
        text, self._text = "".join(self._text), []
        if text and notebook.shown is not None:
            header = _header_of(self._text_run)
            notebook.shown.write(header, self._text_stream, text)

    def _labelled(self, record: Record, text: str) -> str:
        """
        Put the worker before each line, where two or more speak.
        """
        speakers = self._speakers.setdefault(record.run, {})
        if len(self._speakers) > MOST:
            self._speakers.pop(next(iter(self._speakers)), None)
        key = record.pid, record.kind
        is_start = speakers.get(key, True)
        speakers[key] = text.endswith(("\n", "\r"))
        if len({pid for pid, _ in speakers}) < 2:
            return text
        label = f"[worker {record.pid}] "
        lines = text.splitlines(keepends=True)
        first = lines[0] if not is_start else label + lines[0]
        return first + "".join(label + line for line in lines[1:])


def _header_of(number: int) -> Any:
    run = runs.find(number)
    return notebook.header() if run is None else run.header


def _log_settings() -> LogSettings | None:
    """
    Read how the notebook logs; None if its root has no handler that prints.
    """
    for handler in logging.root.handlers:
        if type(handler) is logging.StreamHandler:
            found = handler.formatter
            form = None if found is None else found._fmt
            dates = None if found is None else found.datefmt
            break
    else:
        # Then only warnings are printed, as in a worker that knows nothing.
        return None
    loggers = {"": logging.root, **logging.root.manager.loggerDict}
    levels = {
        name: logger.level
        for name, logger in loggers.items()
        if isinstance(logger, logging.Logger) and logger.level
    }
    return LogSettings(levels, form or "%(message)s", dates)
