"""
Connection: the server's side of one lane.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from ..stats.counts import (
    BESIDE,
    BUFFER_BYTES,
    BYTES_IN,
    BYTES_OUT,
    LAST_BYTES,
    PEAK_BYTES,
    bucket_of,
)
from ..stats.thread_counts import Tally
from ..transport.lanes import (
    BEGAN_AT,
    FIRST_OF_SEQUENCE,
    IDLE,
    LEAVING,
    OFFERED,
    PHASE,
    POSTED_AT,
    REPLIED,
    SAMPLE_EVERY,
    SAMPLED,
    STATE,
    TAKEN,
    TOOK,
    WAITED,
    WAITING,
)
from .validation import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..objects.table import Entry
    from ..stats.worker_rows import Way
    from ..transport.rendezvous import Hello
    from ..transport.stream_peer import Peer
    from .clients import ClientThread, OpenContext

__all__ = ["Connection", "left_by"]

#: The longest accepted time of a call whose client did not block, in seconds.
LONGEST_S = 10.0


class Connection:
    """
    One lane of a client thread, its grants, and its counters.

    Args:
        lane: The server's end of the lane, or of a stream.
        hello: The identity that the client sent.
        thread: The client thread.
        entries: The objects in use, by number.
        came_at: When it connected, in monotonic seconds.
    """

    __slots__ = (
        "__weakref__",
        "_came_at",
        "_entries",
        "_untimed",
        "buffers",
        "bufsize",
        "claim",
        "contexts",
        "counts",
        "decode",
        "doubles",
        "gone",
        "grants",
        "held",
        "hello",
        "lane",
        "lent",
        "map",
        "next_claim",
        "payload",
        "proxied",
        "since",
        "tally",
        "thread",
        "tidies",
        "words",
    )

    #: Whether threads of the server may poll its state in place of a bell.
    is_polled: bool = True

    def __init__(
        self,
        lane: Peer,
        hello: Hello,
        thread: ClientThread,
        entries: Mapping[int, Entry],
        came_at: float,
    ) -> None:
        self.lane: Peer = lane
        self.words: memoryview[int] = lane.words
        self.doubles: memoryview[float] = lane.doubles
        self.map: Any = lane.map
        self.bufsize: int = lane.bufsize
        self.hello: Hello = hello
        #: Held by the thread that answers the posted request.
        self.claim: threading.Lock = threading.Lock()
        #: Held by the thread that waits for the claim; one thread is enough.
        self.next_claim: threading.Lock = threading.Lock()
        #: Decodes a request; set by `Serving`.
        self.decode: Callable[[bytes], Any]
        self.thread: ClientThread = thread
        self.contexts: list[OpenContext] = thread.contexts
        self.held: list[Callable[[], bool]] = thread.held
        #: Functions that take back the grants of the last answer, until it is
        #: acknowledged.
        self.grants: list[Callable[[], object]] = []
        #: Those of them that release versions that the client fetched and may not have
        #: mapped. The client does not acknowledge these: its next request shows that it
        #: has mapped them.
        self.lent: list[Callable[[], None]] = []
        self._entries = entries
        self.tally: Tally = Tally(entries)
        self.counts: dict[int, list[int]] = self.tally.by_object
        self.gone: bool = False
        #: The buffers of the request that is being decoded.
        self.buffers: Any = ()
        #: The payload of the last request: the call in progress while the lane is
        #: taken.
        self.payload: Any = None
        #: The objects whose proxies the request contains, by id.
        self.proxied: dict[int, tuple[Any, Entry]] = {}
        self.since: float = time.time()
        self._came_at = came_at
        #: Whether it only reports what its process no longer holds.
        self.tidies: bool = False
        #: The counts of the last called object, until the time of the call is known.
        self._untimed: list[int] | None = None

    @property
    def way(self) -> Way:
        """
        How its calls reach the server.
        """
        return "lane"

    def count(
        self,
        idx: int,
        opcode: int,
        size_in: int,
        size_out: int,
        latency: float,
        state: int,
    ) -> None:
        """
        Count an answered call.

        Args:
            idx: The number of its object.
            opcode: The opcode of the request.
            size_in: Bytes of the request.
            size_out: Bytes of the answer.
            latency: Seconds since the client began the request, if it blocks; else 0.
            state: The state of the lane, which says whether the client has timed the
                call before this one.
        """
        try:
            counts = self.counts[idx]
        except KeyError:
            counts = self.tally.begin(idx)
            counts[BUFFER_BYTES] = self.bufsize
        counts[opcode] += 1
        counts[BYTES_IN] += size_in
        counts[BYTES_OUT] += size_out
        size = size_out if size_out > size_in else size_in
        if size <= counts[PEAK_BYTES]:
            counts[LAST_BYTES] = size
        elif size <= self.bufsize:
            counts[LAST_BYTES] = counts[PEAK_BYTES] = size
        else:
            counts[BESIDE] += (size_in > self.bufsize) + (size_out > self.bufsize)
            self._offer_buffer(idx)
        if not state & SAMPLED and self._untimed is not None:
            took = self.doubles[TOOK]
            if 0.0 < took < LONGEST_S:
                self._untimed[bucket_of(took)] += SAMPLE_EVERY
        if latency:
            counts[bucket_of(latency)] += 1
            self._untimed = None
        else:
            self._untimed = counts

    def count_fault(
        self,
        idx: int,
        opcode: int,
        size_in: int,
        size_out: int,
        latency: float,
        state: int,
    ) -> None:
        """
        Count a call whose answer was an error, as `count`.

        A traceback says nothing about the buffer that the object's values need: the
        answer is no frame that fills it.
        """
        self.count(idx, opcode, size_in, 0, latency, state)
        self.counts[idx][BYTES_OUT] += size_out

    def _offer_buffer(self, idx: int) -> None:
        """
        Offer the buffer size of an object's settings, if it is larger.
        """
        entry = self._entries.get(idx)
        if entry is not None and entry.policy.bufsize > self.bufsize:
            self.words[OFFERED] = entry.policy.bufsize

    def waited_until(self, now: float) -> float:
        """
        Return how long the client thread has waited for answers, in seconds.

        Args:
            now: Seconds since the epoch; a call in progress counts until then.
        """
        waited = self.waited_before(now)
        if self.words[WAITING]:
            waited += self.waited_since(time.monotonic())
        return min(waited, max(now - self.since, 0.0))

    def waited_before(self, now: float) -> float:
        """
        Return how many seconds the client thread has waited in calls that have ended.

        Args:
            now: Seconds since the epoch.
        """
        waited = self.doubles[WAITED]
        # The client wrote it: it may be any number, or not a number.
        return min(waited, max(now - self.since, 0.0)) if waited > 0.0 else 0.0

    @property
    def called(self) -> int:
        """
        The number of the object that the request in progress is about, or 0.
        """
        return subject_of(self.payload)[0]

    @property
    def asks(self) -> bool:
        """
        Whether a thread of the user has called through it.
        """
        return self.words[STATE] >= FIRST_OF_SEQUENCE and not self.tidies

    def waited_since(self, now: float) -> float:
        """
        Return how long the client thread has waited for this answer, in seconds.

        Args:
            now: Monotonic seconds.

        Returns:
            0.0 if it does not block, or if the time in the lane is not valid.
        """
        doubles = self.doubles
        began_at = doubles[BEGAN_AT] if doubles[POSTED_AT] else 0.0
        return now - began_at if self._came_at <= began_at <= now else 0.0

    def waits_for(self) -> float:
        """
        Return how long the client thread has waited for this answer, until now.
        """
        return self.waited_since(time.monotonic())

    def blocked_for(self, now: float) -> float:
        """
        Return how long the client thread has blocked, in seconds; like `waited_since`.

        The time to send the request and to poll for the answer does not count.
        """
        posted_at = self.doubles[POSTED_AT]
        return now - posted_at if self._came_at <= posted_at <= now else 0.0

    def settle(self) -> None:
        """
        Take what the client has sent before it disconnected: here, the lane has it.
        """

    @property
    def is_leaving(self) -> bool:
        """
        Whether the client said that its thread ends.
        """
        return self.words[LEAVING] == 1

    def end(self) -> None:
        """
        Take back unacknowledged grants. Repeated calls do nothing.
        """
        phase = self.words[STATE] & PHASE
        if phase in (TAKEN, REPLIED):
            self.take_back()
        elif phase == IDLE:
            self.acknowledge()
        # A thread that still answers a posted request also comes here afterwards. The
        # decoder refers to its connection: this cycle would keep the lane mapped.
        self.decode = _decode_nothing

    @property
    def waits_for_word(self) -> bool:
        """
        Whether the client must acknowledge the answer.
        """
        return len(self.grants) > len(self.lent)

    def acknowledge(self) -> None:
        """
        Note that the last answer arrived, and its grants with it.
        """
        self.grants.clear()
        while self.lent:
            self.lent.pop()()

    def take_back(self) -> None:
        """
        Take back grants that were not acknowledged. Repeated calls do nothing.
        """
        while self.grants:
            with contextlib.suppress(IndexError):  # another thread was faster
                self.grants.pop()()
        self.lent.clear()

    def __repr__(self) -> str:
        state = "gone" if self.gone else "connected"
        return (
            f"<Connection {self.hello.process_name} pid={self.hello.pid} "
            f"thread={self.hello.thread_name} {state}>"
        )


def left_by(
    thread: ClientThread, connections: Iterable[Connection]
) -> list[Connection]:
    """
    Return the lanes that a client thread gave up because calls were cut short.

    The grants of these calls must be taken back before the thread's next request.

    Args:
        thread: The thread.
        connections: The open connections.
    """
    if thread.lanes < 2:
        return []
    return [c for c in tuple(connections) if c.thread is thread and c.lane.is_left]


def _decode_nothing(data: bytes) -> Any:
    raise EOFError("the client disconnected")
