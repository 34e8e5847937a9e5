"""
Parts of the real code that stop before each operation, until they are told to go on.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from duck_jupyter.client.channel import TRUST_S
from duck_jupyter.server.connections import Connection
from duck_jupyter.transport.lanes import Lane

from .lane_state import GiveUp, Op, Step

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Actor",
    "Grants",
    "PacedConnection",
    "PacedLane",
    "PacedLock",
    "PacedTime",
    "Poll",
    "Words",
    "stop",
]

WORDS = ("STATE", "WAITING", "WATCHED", "LENGTH")
DEADLINE_S = 20.0


class Dead(BaseException):
    """
    The process of a thread is no more.
    """


class Actor(threading.Thread):
    """
    A thread that stops before each operation.
    """

    def __init__(
        self, nested: Callable[[], None], program: int, run: Callable[[], None]
    ) -> None:
        super().__init__(name=f"actor-{program}", daemon=True)
        self.nested = nested
        self.program = program
        self.main = run
        self.op: Op | None = None
        self.step: Step | None = None
        self.error: BaseException | None = None
        #: The last wait for bells ended by itself.
        self.timed_out = False
        self._dead = threading.Event()
        self._go = threading.Semaphore(0)
        self._stops = threading.Semaphore(0)

    def run(self) -> None:
        try:
            self.main()
        except Dead:
            pass
        except BaseException as error:  # told to the test
            self.error = error
        self.op = None
        self._stops.release()

    def stop(self, op: Op) -> Any:
        """
        Wait, in this thread, until an operation is the next step; give its result.
        """
        while not self._dead.is_set():
            self.op = op
            self._stops.release()
            self._go.acquire()
            step = self.step
            if self._dead.is_set() or step is None:
                break
            if step.what == "nest":
                self.nested()
                continue
            if step.what == "give up":
                raise GiveUp
            return step.result
        raise Dead

    def go(self, step: Step | None) -> None:
        """
        Let it do its operation, and go on to where it stops next.
        """
        self.step = step
        self._go.release()
        self.wait()

    def wait(self) -> None:
        assert self._stops.acquire(timeout=DEADLINE_S), f"{self.op} does not end"

    def end(self) -> None:
        self._dead.set()
        while self.is_alive():
            self._go.release()
            self.join(0.01)


def stop(kind: str, name: str = "", lane: int = -1, value: Any = None) -> Any:
    actor = threading.current_thread()
    assert isinstance(actor, Actor)
    return actor.stop(Op(kind, name, lane, value))


def is_actor() -> bool:
    return isinstance(threading.current_thread(), Actor)


class Words:
    """
    The words of a lane, as one side sees them.
    """

    def __init__(
        self, words: Any, lane: int, waiting: list[tuple[int, int, int]]
    ) -> None:
        self.real, self.lane, self.waiting = words, lane, waiting

    def __getitem__(self, i: int) -> int:
        if i < len(WORDS) and is_actor():
            stop("load", WORDS[i], self.lane)
        found = [v for lane, word, v in self.waiting if (lane, word) == (self.lane, i)]
        return found[-1] if found else int(self.real[i])

    def __setitem__(self, i: int, value: int) -> None:
        stop("store", WORDS[i], self.lane, value)
        self.waiting.append((self.lane, i, value))


class PacedLane(Lane):
    """
    One side's end of a lane.
    """

    number: int
    side: str

    def fence(self) -> None:
        stop("fence", self.side, self.number)

    def ring(self) -> None:
        stop("ring", "client" if self.side == "server" else "server", self.number)
        super().ring()

    def hear(self) -> bool:
        result = stop("hear", self.side, self.number)
        assert super().hear() is result
        return bool(result)

    def hang_up(self) -> None:
        if is_actor():
            stop("hang up", "", self.number)
        super().hang_up()

    def close(self) -> None:
        if is_actor() and not self.block.closed:
            stop("close", "", self.number)
        super().close()


class PacedLock:
    """
    A lock of the server.
    """

    def __init__(self, name: str, lane: int = -1) -> None:
        self.name, self.lane, self.real = name, lane, threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        kind = "try" if not blocking else "acquire" if timeout < 0 else "wait a little"
        result = stop(kind, self.name, self.lane)
        assert self.real.acquire(False) is result
        return bool(result)

    def release(self) -> None:
        stop("release", self.name, self.lane)
        self.real.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        if not isinstance(sys.exc_info()[1], Dead):
            self.release()


class Grants(list[Any]):
    """
    What takes back what a client was granted.
    """

    lane: int

    def append(self, undo: Any) -> None:
        stop("grant", "", self.lane)
        super().append(undo)

    def clear(self) -> None:
        stop("set", "grants", self.lane)
        super().clear()

    def pop(self) -> Any:  # type: ignore[override]
        stop("undo", "", self.lane)
        return super().pop()


#: The variable of a caller that the property of the same name covers.
_gone: Any = Connection.__dict__["gone"]


class PacedConnection(Connection):
    """
    The server's side of a lane.
    """

    number: int

    def __hash__(self) -> int:
        # Sets of callers have the order of their lanes, which the model takes.
        return self.number

    @property
    def gone(self) -> bool:
        if is_actor():
            stop("see", "gone", self.number)
        return bool(_gone.__get__(self))

    @gone.setter
    def gone(self, value: bool) -> None:
        if is_actor():
            stop("set", "gone", self.number)
        _gone.__set__(self, value)


class PacedTime:
    """
    The clock of the server's watch: it moves where the trace says so.
    """

    @staticmethod
    def monotonic() -> float:
        actor = threading.current_thread()
        if not isinstance(actor, Actor):
            return 0.0
        asks = sys._getframe(1).f_code.co_name
        if asks == "_look":
            return float(stop("clock"))
        return float(asks == "find_stuck" and actor.timed_out)


class Poll:
    """
    The client's wait for its bell.
    """

    def __init__(self, real: Any, lane: int) -> None:
        self.real, self.lane = real, lane

    def poll(self, wait_ms: float) -> list[Any]:
        name = "TRUST_S" if wait_ms == TRUST_S * 1000 else "RECHECK_S"
        result = stop("poll", name, self.lane)
        rang: list[Any] = self.real.poll(0)
        assert bool(rang) is result
        return rang
