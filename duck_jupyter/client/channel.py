"""
One thread's channel to a server: a lane, and waiting for an answer.

A call first polls the lane for a short time, because most answers arrive within
microseconds and a poll costs less than a wake-up. Then it blocks on the doorbell. The
length of the polling adapts to its success.
"""

from __future__ import annotations

import select
import time
from itertools import repeat
from os import sched_yield
from typing import TYPE_CHECKING, Any, Literal

from ..errors import KernelGone, ProxyError, ProxyTimeout
from ..transport.handshake import HANDSHAKE_S
from ..transport.lanes import (
    BEGAN_AT,
    FIRST_OF_SEQUENCE,
    GRANT,
    LEAVING,
    LENGTH,
    NEEDS_FENCE,
    OFFERED,
    PHASE,
    POSTED,
    POSTED_AT,
    REPLIED,
    SAMPLED,
    SEQUENCE,
    STATE,
    TOOK,
    WAITED,
    WAITING,
    WATCHED,
    Lane,
)
from .timeout_messages import no_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Channel"]

#: One poll takes some 60 ns; these are about 10 us and 120 us.
LEAST_LOOKS = 150
MOST_LOOKS = 2_000
#: Polls before the core is offered to other threads, and between two such offers, if
#: the server says that it has several clients at once.
LOOKS_AMONG_MANY = 100
LOOKS_A_TURN = 20
#: If an answer arrives this soon after the polling ended, including its wake-up, longer
#: polling would have seen it.
WORTH_S = 500e-6
#: How long a server that polls the lane is trusted to see a request, in seconds.
TRUST_S = 0.001
#: A lost bell delays a call by at most this many seconds.
RECHECK_S = 1.0
#: Up to this many seconds between two exchanges count as waiting: the proxy's own code
#: around a request takes about as long.
BETWEEN_S = 1e-6


class Channel:
    """
    The client's end of a lane: one exchange at a time, by one thread.

    The call that begins an exchange owns the channel. If an exchange is cut short, the
    channel is closed and never used again: its late answer would be taken for the
    answer to the next request.

    Args:
        lane: This side's end of the lane; the channel closes it.
        who: The name of the server in errors.
        widen: Returns a function that makes a channel for the same thread with a given
            size of buffer, which the server already knows; or None.
        called_at: When the client connected to the server, in monotonic seconds; now by
            default.

    It adds up the time that its thread has waited, and writes it into the lane. It
    writes the time of an exchange while the next one waits, so this costs nothing.
    """

    __slots__ = (
        "__weakref__",
        "_before",
        "_began",
        "_called_at",
        "_connected_at",
        "_looks",
        "_poll",
        "_waited",
        "_widen",
        "ended",
        "granted",
        "lane",
        "sequence",
        "who",
    )

    is_stream: Literal[False] = False

    def __init__(
        self,
        lane: Lane,
        who: str,
        widen: Callable[[], Callable[[int], Channel] | None] = lambda: None,
        called_at: float | None = None,
    ) -> None:
        self.lane: Lane = lane
        self.who: str = who
        #: Whether the last answer granted something. The server takes it back if this
        #: side disconnects before it sets the lane's state to acknowledge the answer.
        self.granted: bool = False
        #: The sequence number of the last request.
        self.sequence: int = 0
        self._looks = MOST_LOOKS
        self._widen = widen
        self._connected_at = time.monotonic()
        self._called_at = self._connected_at if called_at is None else called_at
        #: When the last exchange began, and when the user had its answer, in monotonic
        #: seconds.
        self._began = 0.0
        self.ended: float = 0.0
        #: Seconds of waiting in all exchanges before the last one; those in lanes with
        #: smaller buffers are apart.
        self._waited = 0.0
        self._before = 0.0
        self._poll = select.poll()
        self._poll.register(lane.doorbell, select.POLLIN)

    def call(
        self,
        data: bytes,
        buffers: Sequence[Any] = (),
        timeout: float | None = None,
        looks: int = 0,
        began: float = 0.0,
    ) -> tuple[bytes, Sequence[Any]]:
        """
        Send a request and wait for its answer.

        Set `ended` when its value is ready.

        Args:
            data: The frame's payload.
            buffers: Its large buffers.
            timeout: Seconds to wait, or None.
            looks: Number of polls before it blocks; 0 for the adaptive number.
            began: When the thread began the request, in monotonic seconds; now by
                default.

        Returns:
            The answer's payload and buffers.

        Raises:
            ProxyTimeout: No answer came in time.
            KernelGone: The server ended.
            DataTooBigError: The request is too large; nothing was sent.
        """
        lane = self.lane
        words = lane.words
        size = len(data)
        if buffers or size > lane.bufsize or NEEDS_FENCE:
            if words[OFFERED]:
                self._grow()
                lane = self.lane
                words = lane.words
            lane.put(data, buffers)
        else:
            lane.map[4 : size + 4] = data
            words[LENGTH] = size
        self.sequence = sequence = (self.sequence + FIRST_OF_SEQUENCE) & SEQUENCE
        words[STATE] = sequence | POSTED
        watched = words[WATCHED]
        if not watched:
            lane.ring()
        answered = sequence | REPLIED
        began = began or time.monotonic()
        took = self.ended - self._began
        if took > 0:
            between = began - self.ended
            self._waited += took + (between if between < BETWEEN_S else BETWEEN_S)
            lane.doubles[WAITED] = self._waited
            if not sequence & SAMPLED:
                lane.doubles[TOOK] = took
        self._began = began
        looks = looks or self._looks
        for _ in repeat(None, looks if watched < 2 else LOOKS_AMONG_MANY):
            if words[STATE] == answered:
                break
        else:
            self._wait_on(answered, watched, timeout, looks)
        size = words[LENGTH]
        if size > lane.bufsize or NEEDS_FENCE:
            if size & GRANT:
                self.granted = True
                words[LENGTH] = size & ~GRANT
            found = lane.take()
            if words[OFFERED] and not self.granted:
                self._grow()
            return found
        return lane.map[4 : size + 4], ()

    def _grow(self) -> None:
        """
        Change to a lane with the buffer that the server offers, or keep this one.

        An interrupt here cuts the exchange short, so the channel is not used again.
        """
        lane = self.lane
        offered, lane.words[OFFERED] = lane.words[OFFERED], 0
        widen = self._widen()
        if widen is None:
            return
        try:
            wider = widen(offered)
        except ProxyError:
            return  # the server has no space for it, or is busy
        self._before += self._waited
        self.lane, self._poll, self.sequence = wider.lane, wider._poll, wider.sequence
        self._connected_at, self._waited = wider._connected_at, 0.0
        # Close it last: it may have been the last lane of this process.
        lane.close()

    @property
    def waited(self) -> float:
        """
        Seconds that the thread has waited in exchanges that have ended.
        """
        return self._before + self._waited + max(self.ended - self._began, 0.0)

    def wait_until_known(self, timeout: float) -> None:
        """
        Wait until the server knows a channel that requested a buffer.

        Args:
            timeout: Seconds.

        Raises:
            ProxyTimeout: The server did not answer in time.
            KernelGone: The server ended.
        """
        self.lane.introduce()
        if not self._poll.poll(timeout * 1000):
            raise ProxyTimeout(
                f"{self.who} did not accept the connection within {timeout} s. Call "
                "again later."
            )
        if not self.lane.hear():
            raise self._gone()

    def introduce(self) -> None:
        """
        Let the server know this client, if there is no request to send yet.
        """
        self.lane.introduce()

    @property
    def max_message(self) -> int:
        """
        The largest message in bytes.
        """
        return self.lane.max_message

    @property
    def is_open(self) -> bool:
        """
        Whether the server is still connected, and a late answer may arrive.
        """
        return self.lane.hear()

    @property
    def was_too_late(self) -> bool:
        """
        Whether the server disconnected before it knew this client.

        The first request is a part of the handshake, and the server waits for it only
        for a limited time. A client that was stopped meanwhile, or got no core,
        connects again.
        """
        return (
            self.sequence == FIRST_OF_SEQUENCE
            and time.monotonic() - self._called_at > HANDSHAKE_S
            and self.lane.words[STATE] == FIRST_OF_SEQUENCE | POSTED
        )

    @property
    def is_idle(self) -> bool:
        """
        Whether every exchange that was begun has ended with its answer.
        """
        state = self.lane.words[STATE]
        return state in (self.sequence, self.sequence | REPLIED) and not self.granted

    def _wait_on(
        self, answered: int, watched: int, timeout: float | None, looks: int
    ) -> None:
        if watched > 1:
            words = self.lane.words
            for _ in repeat(None, looks // LOOKS_A_TURN):
                # If more threads poll than there are cores, the answering thread may be
                # waiting for this thread's core.
                sched_yield()
                for _ in repeat(None, LOOKS_A_TURN):
                    if words[STATE] == answered:
                        return
                if not words[WATCHED]:
                    break  # the server does not expect to answer soon
        self._block(answered, timeout)

    def _block(self, answered: int, timeout: float | None) -> None:
        lane = self.lane
        words = lane.words
        started = time.monotonic()
        # The server does not accept a time from before it knew this client.
        lane.doubles[BEGAN_AT] = max(self._began, self._connected_at)
        lane.doubles[POSTED_AT] = started
        words[WAITING] = 1
        lane.fence()
        try:
            # A server that polls the lane needs no bell, and a bell would make two of
            # its threads compete for the interpreter. But the server may be stuck in
            # another call.
            trusts = words[WATCHED] > 0
            while words[STATE] != answered:
                wait = TRUST_S if trusts else RECHECK_S
                if not trusts and words[STATE] & PHASE == POSTED:
                    lane.ring()
                trusts = False
                if timeout is not None:
                    wait = min(wait, started + timeout - time.monotonic())
                    if wait <= 0:
                        raise no_answer(self.who, timeout)
                if (
                    self._poll.poll(wait * 1000)
                    and not lane.hear()
                    and words[STATE] != answered
                ):
                    raise self._gone()
        finally:
            now = time.monotonic()
            lane.doubles[WAITED] = self._waited + (now - self._began)
            words[WAITING] = 0
            lane.doubles[POSTED_AT] = 0.0
        self._adapt(now - started)

    def _gone(self) -> KernelGone:
        return KernelGone(
            f"{self.who} stopped, or its kernel ended, before it answered. Share the "
            "object again and pass the new proxy."
        )

    def _adapt(self, blocked_s: float) -> None:
        # An answer that arrives soon after the polling ended is worth longer polling.
        if blocked_s < WORTH_S:
            self._looks = min(self._looks * 2, MOST_LOOKS)
        else:
            self._looks = max(self._looks // 2, LEAST_LOOKS)

    def leave(self) -> None:
        """
        Tell the server that the channel's thread has ended, and close the channel.
        """
        self.lane.words[LEAVING] = 1
        self.lane.close()

    def close(self) -> None:
        """
        Disconnect. Repeated calls do nothing.

        The server takes back the grants of an answer that has not arrived.
        """
        self.lane.close()
