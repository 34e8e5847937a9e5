"""
A caller: the server's side of one client thread.
"""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ..errors import WorkerGone
from ..transport.lanes import POSTED_AT, WAITING
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from ..transport.lanes import Lane
    from ..transport.rendezvous import Hello
    from .objects import Entry

__all__ = ["Caller"]


class Caller:
    """
    One client thread: its lane, what it has entered, and what is counted of it.

    Args:
        lane: The server's end of the lane.
        hello: What the client said of itself.
        known: The numbers of objects in use.
    """

    __slots__ = (
        "__weakref__",
        "_came_at",
        "_jobs",
        "buffers",
        "bufsize",
        "claim",
        "contexts",
        "counts",
        "decode",
        "gone",
        "hello",
        "lane",
        "map",
        "next_claim",
        "payload",
        "since",
        "tally",
        "waited",
        "words",
    )

    def __init__(self, lane: Lane, hello: Hello, known: Container[int]) -> None:
        self.lane = lane
        self.words = lane.words
        self.map = lane.map
        self.bufsize = lane.bufsize
        self.hello = hello
        #: Whoever has it answers the request that is posted.
        self.claim = threading.Lock()
        #: Whoever has it waits for the claim; one is enough.
        self.next_claim = threading.Lock()
        #: Reads a request; set by who serves.
        self.decode: Callable[[bytes], Any]
        #: Objects whose context manager this thread has entered, outermost first.
        self.contexts: list[Entry] = []
        self.tally = Tally(known)
        self.counts = self.tally.by_object
        self.gone = False
        #: The buffers of the request that is being decoded.
        self.buffers: Any = ()
        #: The payload of the last request: what it calls while the lane is taken.
        self.payload: Any = None
        self.since = time.time()
        self._came_at = time.monotonic()
        #: Seconds that the worker has waited for answers.
        self.waited = 0.0
        self._jobs: SimpleQueue[Callable[[], None] | None] | None = None

    @property
    def owner(self) -> Caller:
        """
        Who owns a lock that is taken here: this client thread.
        """
        return self

    def waited_until(self, now: float) -> float:
        """
        Give how long the client thread has waited for answers, in seconds.

        Args:
            now: Seconds since the epoch; a call that is under way counts until then.
        """
        waited = self.waited
        if self.words[WAITING]:
            waited += self.blocked_since(time.monotonic())
        return min(waited, max(now - self.since, 0.0))

    def blocked_since(self, now: float) -> float:
        """
        Give how long the client thread has blocked for this answer, in seconds.

        Args:
            now: Monotonic seconds.

        Returns:
            0.0 where it does not block, or what it wrote down can be no time.
        """
        posted_at = self.lane.doubles[POSTED_AT]
        return now - posted_at if self._came_at <= posted_at <= now else 0.0

    def run_in_own_thread(self, job: Callable[[], None]) -> None:
        """
        Run a job in the one thread that is this client thread's for good.
        """
        if self._jobs is None:
            self._jobs = SimpleQueue()
            threading.Thread(
                target=_work_off,
                args=(self._jobs,),
                name=f"duck-own-{self.hello.pid}",
                daemon=True,
            ).start()
        self._jobs.put(job)

    def has_gone(self) -> bool:
        """
        Ask whether the client has ended, which may not have been noticed yet.
        """
        return self.gone or not self.lane.hear()

    def end(self) -> None:
        """
        Leave what the client left open, in its own thread, and end that.
        """
        if self._jobs is not None:
            self._jobs.put(self._leave_contexts)
            self._jobs.put(None)
        # The decoder knows its caller: a circle, which would keep the lane mapped.
        self.decode = _decode_nothing

    def _leave_contexts(self) -> None:
        while self.contexts:
            entry = self.contexts.pop()
            error = WorkerGone(
                f"{self.hello.process_name} (pid {self.hello.pid}) ended inside a with "
                f"block of {entry.path}."
            )
            try:
                type(entry.target).__exit__(entry.target, WorkerGone, error, None)
            except BaseException:  # the object's own; nobody is left to tell
                continue

    def __repr__(self) -> str:
        state = "gone" if self.gone else "connected"
        return (
            f"<Caller {self.hello.process_name} pid={self.hello.pid} "
            f"thread={self.hello.thread_name} {state}>"
        )


def _decode_nothing(data: bytes) -> Any:
    raise EOFError("the client has gone")


def _work_off(jobs: SimpleQueue[Callable[[], None] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job
