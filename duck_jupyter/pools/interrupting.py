"""
Interrupt: ends the tasks that the interrupted cell has submitted, and no others.

The handler of SIGINT marks the cell's run on the board, so that none of its queued
tasks begins, and tells a thread. The thread cancels what is still in the pools' queues,
sends SIGINT to the workers that run tasks of the cell, and kills those that have not
ended their task after a while.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import signal
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from ..errors import TaskInterrupted
from ..protocol.escaping import printable
from .dropped_interrupts import DroppedInterrupts
from .features import Feature
from .healing import cancel_queued, count_not_done, fill_up, items_of, remove_worker
from .locking import Postponed
from .notebook import notebook
from .pool_state import end_of, processes_of
from .runs import runs
from .shield import shield
from .starting import Starting
from .tracebacks import dress
from .waking import Waker

if TYPE_CHECKING:
    from types import FrameType

    from .board import Board, Entry
    from .runs import Run
    from .slots import Slots
    from .tasks import Task

__all__ = ["Interrupts", "options"]

#: Seconds between two reads of the board, and until a task gets SIGINT again.
LOOK_S = 0.01
AGAIN_S = 0.1
#: Seconds that an interrupted cell waits for the end of its tasks.
PROMPT_S = 0.5
#: The number of no run: there is nothing to stop.
NO_RUN = 0


class Options:
    """
    The settings of this feature.

    Attributes:
        grace: Seconds that an interrupted task has for its end.
    """

    grace: float = 1.0


#: The settings of this process.
options: Options = Options()


class Stop:
    """
    One order to the thread: end the tasks of a run.

    Args:
        number: The run's.
        pools: The pools that got its tasks.
        run: The run whose cell gets the message about what was done.
    """

    def __init__(
        self, number: int, pools: dict[int, weakref.ref[Any]], run: Run
    ) -> None:
        self.number = number
        self.pools = pools
        self.run = run
        #: What executors had not done then: a map cancels its tasks itself.
        self.items: list[Any] = [
            item for get in pools.values() for item in items_of(get())
        ]
        self.done: threading.Event = threading.Event()
        self.stopped = self.killed = self.cancelled = 0


class Interrupts(Feature):
    """
    Ends tasks of interrupted cells.

    Args:
        slots: The owner of the board.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._starting = Starting()
        self._waker = Waker()
        # `put` of this queue is safe in a signal handler.
        self._stops: queue.SimpleQueue[Stop | None] = queue.SimpleQueue()
        self._dropped = DroppedInterrupts(
            Interrupts._on_sigint.__code__, self._order_again
        )
        self._postponed = Postponed(self._on_sigint)
        #: Whether the thread is to send SIGINT once more.
        self._is_dropped = False
        self._thread: threading.Thread | None = None
        # The running cells, the inner ones last: (run, the former handler).
        self._cells: list[tuple[Run, Any]] = []
        self._last_stop: Stop | None = None
        #: Executors that lack workers.
        self._wounded: weakref.WeakSet[Any] = weakref.WeakSet()

    def open(self) -> None:
        """
        Replace the start of workers.
        """
        self._starting.open()

    def close(self) -> None:
        """
        End the thread, and restore what was replaced.
        """
        self._starting.close()
        while self._cells:
            self.cell_ends()
        self._waker.close()
        if self._thread is not None:
            self._dropped.close()
            self._stops.put(None)
            self._thread.join()
            self._thread = None

    def before_submit(self, task: Task) -> None:
        """
        Start the threads in advance: a signal handler cannot start one.
        """
        wakes = not self._waker.is_started and bool(self._cells) and _is_main()
        if self._thread is None or wakes:
            with shield:
                self._start(wakes)
        if task.taken is not None:
            # A thread of the pool takes the items of an `imap`, also after the cell.
            board, run = self._slots.board, task.notes["run"]
            task.is_over = functools.partial(board.is_interrupted, run)
        if self._wounded and task.pool in self._wounded:
            self._wounded.discard(task.pool)
            fill_up(task.pool)

    def _start(self, wakes: bool) -> None:
        if self._thread is None:
            self._dropped.open()
            self._thread = threading.Thread(
                target=self._serve, daemon=True, name="duck-interrupt"
            )
            self._thread.start()
        if wakes:
            self._waker.start()

    # The cells. All of it runs in the thread that runs the cell.

    def cell_begins(self) -> None:
        """
        Note that a cell begins, and wrap the present handler in ours.
        """
        run = runs.begin()
        if not _is_main():
            # A cell of a subshell of ipykernel, which is not interrupted.
            return
        before = signal.getsignal(signal.SIGINT)
        self._cells.append((run, before))
        if callable(before):
            signal.signal(signal.SIGINT, self._on_sigint)
        self._waker.begin()

    def cell_ends(self, error: BaseException | None = None) -> None:
        """
        Note that a cell has ended, and wait a short time for tasks that are stopped.
        """
        runs.end()
        if not _is_main():
            return
        if self._last_stop is not None:
            self._wait(self._last_stop)
        if shield.is_ending:
            shield.at_end.append(self._give_back)
        else:
            self._give_back()

    def _give_back(self) -> None:
        """
        Put the handler of before in its place.
        """
        self._postponed.cancel()
        if self._cells:
            _, before = self._cells.pop()
            # Compared with ==: each access makes a new bound method.
            if signal.getsignal(signal.SIGINT) == self._on_sigint:
                signal.signal(signal.SIGINT, before)
        if not self._cells:
            self._waker.end()

    def _wait(self, stop: Stop) -> None:
        """
        Wait until tasks are stopped, or for a while, or for the next Interrupt.
        """
        end = time.monotonic() + PROMPT_S
        while time.monotonic() < end and not shield.hurries:
            if stop.done.wait(LOOK_S):
                break

    def _on_sigint(self, signum: int, frame: FrameType | None) -> None:
        self._waker.handled += 1
        if self._starting.is_busy:
            self._starting.was_interrupted = True
            return
        if not self._cells or self._postponed.is_nested(frame):
            return
        if shield.holds_back():
            return
        if self._dropped.puts_off(frame):
            return
        if self._thread is not None and self._postponed.postpones(frame):
            self._order_again()
            return
        self._is_dropped = False
        stops = [stop for run, _ in self._cells if (stop := self._mark(run))]
        if stops:
            self._last_stop = stops[-1]
        try:
            if shield.is_ending:
                shield.hurries = True
                return
            self._cells[-1][1](signum, frame)
        except KeyboardInterrupt as error:
            dress(error)
            raise
        finally:
            # Afterwards: else a cell that awaits a task may see its end first.
            for stop in stops:
                self._stops.put(stop)

    def _order_again(self) -> None:
        if self._cells:
            self._is_dropped = True
            self._stops.put(Stop(NO_RUN, {}, self._cells[-1][0]))

    def _mark(self, run: Run) -> Stop | None:
        """
        Let no queued task of a run begin; give what is to be done, if anything.
        """
        if not run.submitted:
            return None
        number, pools = run.renew()
        self._slots.board.interrupt(number)
        self._slots.board.interrupt(run.number, on=False)
        return Stop(number, pools, run)

    # The thread.

    def _serve(self) -> None:
        while (stop := self._stops.get()) is not None:
            self._serve_one(stop)

    def _serve_one(self, stop: Stop) -> None:
        try:
            self._send_again()
            if stop.number != NO_RUN:
                self._stop(stop)
        except Exception as error:  # a pool's own code, which may be of any version
            self._say_failed(stop, error)
        finally:
            stop.items.clear()
            stop.done.set()

    def _stop(self, stop: Stop) -> None:
        """
        End the tasks of one run.
        """
        board, told, most = self._slots.board, _Told(), 0
        killed: set[int] = set()
        end = time.monotonic() + options.grace
        pause = threading.Event()
        while True:
            self._send_again()
            pools = [pool for get in list(stop.pools.values()) if (pool := get())]
            for pool in pools:
                stop.cancelled += cancel_queued(pool, stop.number)
            running = [x for x in board.running() if x.run == stop.number]
            if not running:
                break
            # Of workers that joblib itself kills, it is not known what they heard.
            most = max(most, len(running))
            for entry in running:
                if time.monotonic() < end:
                    told.tell(entry)
                elif self._kill(board, entry, pools):
                    killed.add(entry.pid)
            pause.wait(LOOK_S)
        stop.killed = len(killed)
        # A task that goes on after its KeyboardInterrupt was not stopped by it.
        stop.stopped = board.count_heard(stop.number, killed)
        begun = max(most, stop.stopped + stop.killed)
        not_begun = count_not_done(stop.items, stop.number) - begun
        stop.cancelled = max(stop.cancelled, not_begun)
        for pool in [*self._wounded]:
            # Else at the next submit, in the thread that submits.
            if pool._pending_work_items and end_of(pool) is None:
                self._wounded.discard(pool)
                fill_up(pool)
        self._say(stop)

    def _send_again(self) -> None:
        if self._is_dropped:
            threading.Event().wait(LOOK_S)
            if self._cells and self._is_dropped:
                self._is_dropped = False
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _kill(self, board: Board, entry: Entry, pools: list[Any]) -> bool:
        """
        Kill one worker, and let its pool go on if possible.

        Returns:
            Whether it was killed; False if its task has ended meanwhile.
        """
        error = TaskInterrupted(
            "the task's worker was killed: its cell was interrupted, "
            f"and it had not ended {options.grace:g} s later"
        )
        pool = next((x for x in pools if _has_worker(x, entry.pid)), None)
        if not remove_worker(board, entry, pool, error):
            return False
        if pool is not None and hasattr(pool, "_pending_work_items"):
            self._wounded.add(pool)
        return True

    def _say_failed(self, stop: Stop, error: Exception) -> None:
        """
        Say that tasks may go on. The thread goes on, too: it serves later Interrupts.
        """
        if notebook.shown is not None:
            text = (
                "Interrupt failed to stop the tasks of this cell because of "
                f"{type(error).__name__}: {printable(str(error))}; make a new pool.\n"
            )
            notebook.shown.write(stop.run.header, "stderr", text)

    def _say(self, stop: Stop) -> None:
        words = []
        if stop.stopped:
            words.append(f"stopped {_tasks(stop.stopped, 'running')}")
        if stop.killed:
            words.append(f"killed {_tasks(stop.killed, '').replace('task', 'worker')}")
        if stop.cancelled:
            words.append(f"cancelled {_tasks(stop.cancelled, 'queued')}")
        if words and notebook.shown is not None:
            text = f"Interrupt {', '.join(words)} of this cell.\n"
            notebook.shown.write(stop.run.header, "stderr", text)


class _Told:
    """
    The tasks that got SIGINT, with the times.
    """

    def __init__(self) -> None:
        self.tasks: dict[int, float] = {}

    def tell(self, entry: Entry) -> None:
        """
        Send SIGINT to a worker, unless its task has it already.
        """
        now = time.monotonic()
        last = self.tasks.get(entry.task)
        if last is None or (not entry.heard and now - last >= AGAIN_S):
            self.tasks[entry.task] = now
            with contextlib.suppress(ProcessLookupError):
                os.kill(entry.pid, signal.SIGINT)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _has_worker(pool: Any, pid: int) -> bool:
    return any(process.pid == pid for process in processes_of(pool))


def _tasks(number: int, kind: str) -> str:
    words = f"{number:,} {kind} task" if kind else f"{number:,} task"
    return words if number == 1 else f"{words}s"
