"""
What a worker does: one method for each operation, each with its lines in the ledger.

Whatever an operation needs is made before it is armed. So inside the actions stand only
uses of proxies, and stores that an interrupt cannot harm.
"""

from __future__ import annotations

import itertools
import math
import os
import queue
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .alarm import OFF, Alarm, Late, Outcome
from .targets import answer_to, pattern

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from .ledger import Ledger
    from .targets import Proxies

__all__ = ["GONE", "Operations", "Thread"]

#: A SIGALRM arrives after so many seconds.
DELAYS_S = (20e-6, 2e-3)
#: How long a free lock may be taken by others, in seconds.
BUSY_S = 1.0
BATCH = 3
VALUE_CHARS = 80
#: The exit code of a worker that may be inside a block which it cannot leave.
GONE = 3


class Thread(NamedTuple):
    """
    Who does the operations.
    """

    #: The worker's number and the thread's, as ``3.0``.
    name: str
    #: The worker's place, which it has from the one that was killed before it.
    slot: int


class Operations:
    """
    The operations of one thread.

    Args:
        thread: Who it is.
        proxies: What it uses.
        ledger: Where it writes.
        chosen: Where its choices come from.
        sizes: Bytes of the smallest and of the largest payload.
    """

    def __init__(
        self,
        thread: Thread,
        proxies: Proxies,
        ledger: Ledger,
        chosen: random.Random,
        sizes: tuple[int, int],
    ) -> None:
        self.alarm = Alarm(self.nested)
        self.thread = thread
        self.chosen = chosen
        self._proxies = proxies
        self._board = proxies.board
        self._latch = proxies.latches[thread.slot]
        self._ledger = ledger
        self._sizes = sizes
        self._numbers = itertools.count()
        self._generation = 0
        self._is_stuck = False

    # -- the frame of an operation -------------------------------------------------

    def do(self, kind: str, mode: int) -> None:
        """
        Do one operation.

        Args:
            kind: The name of a method.
            mode: What signals do meanwhile.
        """
        getattr(self, kind)(kind, mode)

    def ready(self) -> None:
        """
        Write that signals are handled from now on.
        """
        self._ledger.write("ready")

    def idle(self) -> None:
        """
        Write that the last operation has ended.
        """
        self._ledger.write("idle")

    def _begin(self, kind: str) -> str:
        tag = f"{self.thread.name}.{next(self._numbers)}"
        self._ledger.write("begin", kind, tag)
        return tag

    def _attempt(
        self,
        action: Callable[[], Any],
        mode: int,
        fine: tuple[type[BaseException], ...] = (),
    ) -> Outcome:
        delay_s = math.exp(self.chosen.uniform(*map(math.log, DELAYS_S)))
        return self.alarm.attempt(action, mode, delay_s, fine)

    def _end(self, kind: str, tag: str, outcome: Outcome, expected: Any) -> bool:
        """
        Write how an operation ended; True where its answer was the right one.
        """
        word, value = outcome
        if word == "ack" and value != expected:
            word, value = "wrong", f"got {self._short(value)}"
        self._ledger.write(word, kind, tag, "" if word != "wrong" else str(value))
        return word == "ack"

    @staticmethod
    def _short(value: Any) -> str:
        size = f"{len(value)} bytes " if isinstance(value, bytes) else ""
        return f"{size}{value[:VALUE_CHARS] if size else value!r}"[: 2 * VALUE_CHARS]

    def _size(self) -> int:
        return round(math.exp(self.chosen.uniform(*map(math.log, self._sizes))))

    # -- calls ------------------------------------------------------------------------

    def nested(self) -> None:
        """
        Call in the middle of another call: from a signal handler, or in ``__del__``.

        A SIGINT may end it; then nobody knows whether it was done.
        """
        tag = self._begin("nested")
        try:
            value = self._board.add(tag)
        except (Late, KeyboardInterrupt):
            raise
        except BaseException as error:  # whatever the product raises is judged
            outcome = Outcome("wrong", f"{type(error).__name__}: {error}")
        else:
            outcome = Outcome("ack", value)
        self._end("nested", tag, outcome, answer_to(tag))

    def add(self, kind: str, mode: int) -> None:
        tag = self._begin(kind)
        outcome = self._attempt(lambda: self._board.add(tag), mode)
        self._end(kind, tag, outcome, answer_to(tag))

    def echo(self, kind: str, mode: int) -> None:
        tag = self._begin(kind)
        payload = pattern(tag, self._size())
        outcome = self._attempt(lambda: self._board.echo(payload), mode)
        self._end(kind, tag, outcome, payload)

    def give(self, kind: str, mode: int) -> None:
        tag, size = self._begin(kind), self._size()
        expected = pattern(tag, size)
        outcome = self._attempt(lambda: self._board.give(tag, size), mode)
        self._end(kind, tag, outcome, expected)

    def take(self, kind: str, mode: int) -> None:
        tag = self._begin(kind)
        payload: Any = pattern(tag, self._size())
        if self.chosen.random() < 0.5:
            # It travels beside the frame, and not in it.
            payload = np.frombuffer(payload, dtype=np.uint8)
        outcome = self._attempt(lambda: self._board.take(tag, payload), mode)
        self._end(kind, tag, outcome, answer_to(tag))

    def attribute(self, kind: str, mode: int) -> None:
        tag = self._begin(kind)
        # After a cut the old value may arrive late: that name is not used again.
        name = f"mark_{self.thread.name}_{self._generation}".replace(".", "_")

        def action() -> Any:
            setattr(self._board, name, tag)
            return getattr(self._board, name)

        if not self._end(kind, tag, self._attempt(action, mode), tag):
            self._generation += 1

    # -- locks ------------------------------------------------------------------------

    def locked(self, kind: str, mode: int) -> None:
        done: list[bool] = []

        def action() -> None:
            with self._proxies.locked(self._board) as board:
                board.number += 1
                done.append(True)

        self._change(kind, mode, action, done)

    def gate(self, kind: str, mode: int) -> None:
        done: list[bool] = []

        def action() -> None:
            with self._proxies.gate:
                self._board.guarded += 1
                done.append(True)

        self._change(kind, mode, action, done)

    def _change(
        self, kind: str, mode: int, action: Callable[[], None], done: list[bool]
    ) -> None:
        tag = self._begin(kind)
        outcome = self._attempt(action, mode)
        is_inside = bool(done) and outcome.word == "edge"
        if done and outcome.word in ("cut", "edge"):
            # The block was being left.
            outcome = Outcome("late")
        self._end(kind, tag, outcome, None)
        if is_inside:
            # Nobody has told the product to leave the block; a plain lock of threading
            # has no such moment. The end of the process does it.
            os._exit(GONE)

    def acquire(self, kind: str, mode: int) -> None:
        if self._is_stuck:
            # The lock did not become free: its fate is seen at the end of the round.
            self.add("add", mode)
            return
        tag = self._begin(kind)
        latch = self._latch
        outcome = self._attempt(lambda: latch.acquire(True, BUSY_S), mode)
        got = outcome.value is True
        is_right = self._end(kind, tag, outcome, got)
        if outcome.word == "edge":
            # It is this thread's, or it was not taken.
            got = not self._is_free()
        elif not is_right:
            self._is_stuck = not self._is_free()
        if got:
            # Long enough that some workers are killed while they hold it.
            self.add("add", OFF)
            tag = self._begin("release")
            outcome = self._attempt(lambda: latch.release(), OFF)
            self._end("release", tag, outcome, None)

    def _is_free(self) -> bool:
        """
        Tell whether this worker's lock can be taken.
        """
        latch = self._latch

        def action() -> None:
            if latch.acquire(True, BUSY_S):
                latch.release()
            else:
                raise TimeoutError

        tag = self._begin("probe")
        outcome = self._attempt(action, OFF, (TimeoutError,))
        self._end("probe", tag, outcome, outcome.value)
        return outcome.word == "ack" and outcome.value is None

    # -- items ------------------------------------------------------------------------

    def get(self, kind: str, mode: int) -> None:
        how = self.chosen.choice([(), (), (True, 0.02), (False,)])
        items = self._proxies.items
        tag = self._begin(kind)
        outcome = self._attempt(lambda: items.get(*how), mode, (queue.Empty,))
        self._end_items(kind, tag, outcome, [outcome.value])

    def stream(self, kind: str, mode: int) -> None:
        stream = self._proxies.stream
        taken: list[Any] = []

        def action() -> None:
            for item in stream:
                taken.append(item)
                if len(taken) == BATCH:
                    break

        tag = self._begin(kind)
        self._end_items(kind, tag, self._attempt(action, mode), taken)

    def _end_items(
        self, kind: str, tag: str, outcome: Outcome, taken: list[Any]
    ) -> None:
        word, value = outcome
        taken = [item for item in taken if item not in (None, queue.Empty)]
        if word != "wrong":
            value = ",".join(map(str, taken))
            if not all(type(item) is int for item in taken):
                word, value = "wrong", f"got {self._short(taken)}"
        self._ledger.write(word, kind, tag, str(value))
