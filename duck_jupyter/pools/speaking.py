"""
Speaking, in a worker: sends its output to the cell that submitted its task.

``sys.stdout`` and ``sys.stderr`` are replaced, so warnings and logging are sent as
well. The output of C code and of other programs is not.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from . import worker
from .records import STDERR, STDOUT, records_of

if TYPE_CHECKING:
    from .board import Key

__all__ = ["LogSettings", "Speaker", "add_speaking"]


class LogSettings(NamedTuple):
    """
    The configuration of the notebook's logging.

    Attributes:
        levels: The levels of loggers that have one, by name; "" is the root.
        form: The format of the root's handler that prints.
        dates: Its format of dates, or None.
    """

    levels: dict[str, int]
    form: str
    dates: str | None


class Speaker(worker.WorkerFeature):
    """
    Sends what a worker prints and displays.

    Args:
        key: The address of the notebook's board.
        run: The run for which the worker was started.
    """

    def __init__(self, key: Key, run: int) -> None:
        self.run: int = run
        path = f"/proc/{key.pid}/fd/{key.output}"
        self._pipe = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        self._streams: list[_Stream] = []

    def place(self) -> None:
        """
        Replace the streams of this process.
        """
        out = _Stream(self, STDOUT, sys.stdout)
        err = _Stream(self, STDERR, sys.stderr)
        replaced = {id(sys.stdout): out, id(sys.stderr): err}
        self._streams = [out, err]
        sys.stdout, sys.stderr = out, err
        if "logging" in sys.modules:
            self._replace_streams(replaced)

    def _replace_streams(self, streams: dict[int, _Stream]) -> None:
        """
        Let the inherited handlers of a forked worker write to our streams.
        """
        import logging

        loggers = [logging.root, *logging.root.manager.loggerDict.values()]
        for logger in loggers:
            for handler in getattr(logger, "handlers", ()):
                stream = streams.get(id(getattr(handler, "stream", None)))
                if stream is not None and isinstance(handler, logging.StreamHandler):
                    handler.setStream(stream)

    def send(self, kind: int, data: bytes) -> bool:
        """
        Send a message; return whether the notebook reads it.
        """
        try:
            for record in records_of(self.run, os.getpid(), kind, data):
                os.write(self._pipe, record)
        except OSError:
            return False
        return True

    def task_begins(self, task: worker.Running) -> None:
        """
        Note the run that gets the output.
        """
        self.run = task.notes.get("run", self.run)

    def task_ends(self, task: worker.Running) -> None:
        """
        Send the rest of the output before the pool sends the result.
        """
        for stream in self._streams:
            stream.flush()


class _Stream(io.TextIOBase):
    """
    A stream whose lines go to the notebook.
    """

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, speaker: Speaker, kind: int, before: Any) -> None:
        super().__init__()
        self._speaker = speaker
        self._kind = kind
        # Gets the output if the notebook does not read. It is also kept because a
        # forked worker must not collect the inherited stream.
        self._before = before
        self._pending: list[str] = []

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._pending.append(text)
        if "\n" in text or "\r" in text:
            self.flush()
        return len(text)

    def flush(self) -> None:
        pending, self._pending = self._pending, []
        text = "".join(pending)
        if text and not self._speaker.send(self._kind, text.encode("utf-8", "replace")):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                self._before.write(text)
                self._before.flush()

    def fileno(self) -> int:
        return int(self._before.fileno())


def add_speaking(key: Key, run: int, logs: LogSettings | None) -> None:
    """
    Let this worker send its output, if the system allows it.
    """
    try:
        speaker = Speaker(key, run)
    except OSError:
        return
    speaker.place()
    worker.add(speaker)
    if logs is not None:
        import logging

        for name, level in logs.levels.items():
            logging.getLogger(name).setLevel(level)
        if not logging.root.handlers:
            logging.basicConfig(format=logs.form, datefmt=logs.dates)
    from .displaying import add_displaying

    add_displaying(speaker.send)
