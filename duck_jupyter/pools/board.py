"""
The board: shared memory in which each worker notes the task that it runs.

There are no messages and no thread: the notebook reads the board when it needs to.
A worker holds a record lock on its slot. The system knows the holder, and releases the
lock however the worker ends. A slot outlives its worker, so the notebook can read which
task a killed worker ran.

    header   `RUNS` bytes, one for each run of a cell: 1 if it was interrupted
    slots    `SLOT` bytes each, in words of 8 bytes
    meters   `METER` bytes each, one for each slot: see `meter_layout`

The notebook makes the memory (``memfd_create(2)``) and two pipes. A worker opens them
under ``/proc/<notebook>/fd``. One pipe carries no data: it closes when the notebook
ends (see `follow_owner`). The other carries output. Each word has one writer, so
there are no locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import signal
import struct
import time
from typing import TYPE_CHECKING

from .board_rows import STARTING, Entry, Key
from .meter_layout import COLLECTED, ID, METER

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Board", "Entry", "Key", "open_board"]

#: The number of runs; after the last one the numbers begin again.
RUNS = 4096
#: Bytes of a slot, and how many workers there can be at once.
SLOT = 64
SLOTS = 1024
WORDS = SLOT // 8
METERS_AT = RUNS + SLOT * SLOTS
#: The words of a slot. TASK is written last, and is 0 while the worker is idle.
PID, TASK, RUN, BEGAN, ITEM, CHUNK, HEARD, HEARD_RUN = range(8)
#: This bit of TASK is set while the worker sends what the task has returned or raised.
SENDING = 1 << 63
#: ``F_SETSIG`` of fcntl(2), which Python has no name for: the signal of ``O_ASYNC``.
F_SETSIG = 10


#: The boards that this process made and has not closed.
_owned: set[Board] = set()
#: Those of the parent, in a forked child. A process loses its record locks on a file
#: when it closes any descriptor of it, and ``mmap`` has one that its end closes.
_kept: list[Board] = []


class Board:
    """
    The board, as the notebook or a worker maps it.

    Args:
        key: The address of a board; None makes a new one.

    Raises:
        OSError: The board is gone, or the system does not let this process see it.
    """

    def __init__(self, key: Key | None = None) -> None:
        size = METERS_AT + METER * SLOTS
        self._writer = -1
        self.output: int = -1
        #: Whether it was closed while workers were left.
        self.is_left: bool = False
        if key is None:
            name = f"duck-pools-{os.urandom(8).hex()}"
            self.fd: int = os.memfd_create(name)
            os.ftruncate(self.fd, size)
            alive, self._writer = os.pipe()
            #: The reading end of the pipe in which workers put their output.
            self.output, output = os.pipe()
            key = Key(os.getpid(), self.fd, alive, output, name)
            _owned.add(self)
        else:
            path = f"/proc/{key.pid}/fd/{key.memory}"
            if key.name not in os.readlink(path):  # noqa: PTH115 - no pathlib in workers
                raise FileNotFoundError(f"{path} is not {key.name}")
            self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.key = key
        self._map = mmap.mmap(self.fd, size)
        self._view = view = memoryview(self._map)
        #: One byte for each run.
        self.interrupted: memoryview[int] = view[:RUNS]
        self._words = view[RUNS:METERS_AT].cast("Q")
        self._floats = view[RUNS:METERS_AT].cast("d")
        self._meters = view[METERS_AT:].cast("Q")
        self._at = 0

    def close(self) -> None:
        """
        Close the notebook's board when no worker needs it.

        The pipe stays open while a worker lives, because closing it ends the worker.
        """
        self.is_left = bool(self.workers())
        if not self.is_left:
            _owned.discard(self)
            for fd in (self.fd, self.key.alive, self._writer, self.key.output):
                os.close(fd)
            self._writer = -1
            for view in (
                self._words,
                self._floats,
                self._meters,
                self.interrupted,
                self._view,
            ):
                view.release()
            self._map.close()

    def reopen(self) -> None:
        """
        Go on with the workers that were left when it was closed.
        """
        if self.output < 0:
            # The end for reading was closed; that for writing leads to the same pipe.
            path = f"/proc/self/fd/{self.key.output}"
            self.output = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.is_left = False

    def close_output(self) -> None:
        """
        Read no more output. Workers that write get an error from now on.
        """
        if self.output >= 0:
            os.close(self.output)
            self.output = -1

    def after_fork(self) -> None:
        """
        In a child, close the inherited ends of pipes that must close with the notebook.
        """
        self.close_output()
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1

    # In a worker.

    def claim(self) -> bool:
        """
        Take a slot for this process; return whether there was a free one.
        """
        pid = os.getpid()
        # First one that holds no news of a worker that was killed, and no counts that
        # the notebook has not taken; then one without such news.
        for least in range(3):
            for number in range(SLOTS):
                slot = (pid + number) % SLOTS
                at = slot * WORDS
                if least < 2 and self._words[at + TASK]:
                    continue
                if least < 1 and not self.is_collected(slot):
                    continue
                try:
                    place = RUNS + slot * SLOT
                    fcntl.lockf(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
                except OSError:
                    continue
                self._at = at
                for word in range(WORDS):
                    self._words[at + word] = 0
                self._words[at + PID] = pid
                return True
        return False

    def is_collected(self, slot: int) -> bool:
        """
        Return whether a meter has no counts that the notebook has not taken.
        """
        meter = slot * (METER // 8)
        return self._meters[meter + ID] == self._meters[meter + COLLECTED]

    def meter(self, slot: int | None = None) -> memoryview:
        """
        Give the bytes of the meter of a slot; of this worker's by default.
        """
        slot = self._at // WORDS if slot is None else slot
        return self._view[METERS_AT + slot * METER : METERS_AT + (slot + 1) * METER]

    def follow_owner(self) -> None:
        """
        Make the system kill this process when the notebook's process ends.

        The end of the pipe raises a signal (``O_ASYNC`` of open(2)), so that no thread
        has to wait for it. ``PR_SET_PDEATHSIG`` would be raised at the end of the
        *thread* that started this process.

        Raises:
            OSError: The notebook has ended, or no longer has the pipe.
        """
        path = f"/proc/{self.key.pid}/fd/{self.key.alive}"
        # Open it again, so that the flags are not set for other processes.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.fcntl(fd, F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
        # No signal tells of an end that came before.
        with contextlib.suppress(BlockingIOError):
            os.read(fd, 1)
            raise ProcessLookupError("the notebook's pipe has ended")

    def start(self) -> None:
        """
        Note that the worker runs the initializer of its pool.
        """
        self._words[self._at + TASK] = STARTING

    def begin(self, task: int, run: int, chunk: int = -1) -> float:
        """
        Note that a task begins; give the time, in monotonic seconds.
        """
        at, words = self._at, self._words
        words[at + RUN] = run
        words[at + ITEM] = 0
        words[at + CHUNK] = chunk + 1
        now = self._floats[at + BEGAN] = time.monotonic()
        words[at + TASK] = task
        return now

    def at_item(self, item: int) -> None:
        """
        Note the present item of the chunk; -1 if it is not known.
        """
        self._words[self._at + ITEM] = item + 1

    def item(self) -> int:
        """
        Return the item at which the last task was; -1 if it is not known.
        """
        return int(self._words[self._at + ITEM]) - 1

    def heard(self) -> None:
        """
        Note that the task is given a KeyboardInterrupt.
        """
        at, words = self._at, self._words
        words[at + HEARD] = words[at + TASK]
        words[at + HEARD_RUN] = words[at + RUN]

    def send(self) -> None:
        """
        Note that the task has ended, and that its result is being sent.
        """
        if self._words[self._at + TASK]:
            self._words[self._at + TASK] |= SENDING

    def end(self) -> None:
        """
        Note that the worker is idle.
        """
        self._words[self._at + TASK] = 0

    # In either.

    def is_interrupted(self, run: int) -> bool:
        """
        Return whether a cell's run was interrupted.
        """
        return bool(self.interrupted[run % RUNS])

    def interrupt(self, run: int, *, on: bool = True) -> None:
        """
        Note that a cell's run was interrupted. Safe in a signal handler.
        """
        self.interrupted[run % RUNS] = on

    # In the notebook.

    def _used(self) -> list[int]:
        # One read of all slots; most were never used.
        pids = self._words[PID::WORDS].tolist()
        return [number * WORDS for number, pid in enumerate(pids) if pid]

    def used(self) -> list[tuple[int, int]]:
        """
        List the slots that were taken, and by which process.
        """
        return [(at // WORDS, int(self._words[at + PID])) for at in self._used()]

    def is_alive(self, slot: int, pid: int) -> bool:
        """
        Tell whether a slot is a process's still.
        """
        return self._holder(slot * WORDS) == pid

    def running(self) -> list[Entry]:
        """
        Return the running tasks. The lock shows that the process is still the worker.
        """
        return [
            x
            for at, x in self._entries()
            if not x.is_sending and not x.is_starting and self._holder(at) == x.pid
        ]

    def last(self, pid: int) -> Entry | None:
        """
        Return the last state of a worker that ended, or None.
        """
        return next((entry for _, entry in self._entries() if entry.pid == pid), None)

    def workers(self) -> list[int]:
        """
        Return the workers that live.
        """
        pids = [(at, self._words[at + PID]) for at in self._used()]
        return [pid for at, pid in pids if self._holder(at) == pid]

    def count_heard(self, run: int, killed: Collection[int] = ()) -> int:
        """
        Count the tasks of a run that were given a KeyboardInterrupt.

        Each worker has at most one: it begins no other task of the run.

        Args:
            run: The run.
            killed: Workers that were killed, whose tasks do not count.
        """
        words = self._words
        return sum(
            words[at + HEARD_RUN] == run and words[at + PID] not in killed
            for at in self._used()
        )

    def forget(self, pid: int) -> None:
        """
        Note that the last state of an ended worker was handled.
        """
        for at in self._used():
            if self._words[at + PID] == pid:
                self._words[at + TASK] = 0

    def _entries(self) -> list[tuple[int, Entry]]:
        now, found = time.monotonic(), []
        for at in self._used():
            pid, task, run, _, item, chunk, heard = self._words[at : at + 7].tolist()
            if task:
                is_sending, task = task >= SENDING, task % SENDING
                seconds, is_heard = now - self._floats[at + BEGAN], heard == task
                more = item - 1, chunk - 1, is_heard, is_sending
                found.append((at, Entry(pid, task, run, seconds, *more)))
        return found

    def _holder(self, at: int) -> int | None:
        """
        Return the process that holds the lock on a slot, or None.
        """
        place = RUNS + at * 8
        asked = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
        with contextlib.suppress(OSError):
            answer = fcntl.fcntl(self.fd, fcntl.F_GETLK, asked)
            kind, _, _, _, pid = struct.unpack("hhqqi", answer)
            return None if kind == fcntl.F_UNLCK else int(pid)
        return None


def open_board() -> Board:
    """
    Give the notebook's board: that of the workers that are left, or a new one.
    """
    for board in [board for board in _owned if board.is_left]:
        if board.workers():
            board.reopen()
            return board
        board.close()
    return Board()


def _after_fork() -> None:
    for board in _owned:
        board.after_fork()
    _kept.extend(_owned)
    _owned.clear()


os.register_at_fork(after_in_child=_after_fork)
