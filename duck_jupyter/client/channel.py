"""
One thread's way to a server: a lane, and how an answer is waited for.

A call first looks at the lane for a short while, for most answers come within
microseconds and a look costs less than a wake-up; then it blocks on the doorbell. How
long it looks follows what looking has brought.
"""

from __future__ import annotations

import select
import time
from itertools import repeat
from os import sched_yield
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Channel"]

#: A look is some 60 ns; these are about 10 us and 120 us.
LEAST_LOOKS = 150
MOST_LOOKS = 2_000
#: Looks before the core is offered to others, and between two such offers, where the
#: server says that it has several clients at once.
LOOKS_AMONG_MANY = 100
LOOKS_A_TURN = 20
#: An answer that came this soon after a look, its wake-up included, would have been
#: seen by a longer one.
WORTH_S = 500e-6
#: How long a server that looks at the lane is trusted to see a request.
TRUST_S = 0.001
#: A bell that got lost costs at most this many seconds.
RECHECK_S = 1.0
#: What a thread does between two calls counts as waiting up to this: the proxy's own
#: code around a request takes about as long.
BETWEEN_S = 1e-6


class Channel:
    """
    A lane as its client uses it: one exchange at a time, by one thread.

    The call that begins an exchange has the channel alone. A channel whose exchange was
    cut short is closed and never used again: its late answer would be taken for that of
    the next request.

    Args:
        lane: This side's end; the channel closes it.
        who: Names the server in errors.
        widen: Gives a function that makes a channel for the same thread, with a buffer
            of so many bytes, which the server knows already; or None.
        called_at: When the server was called, in monotonic seconds; now by default.

    It adds up the time that its thread has waited, and notes it in the lane: what the
    last exchange took is noted while the next one waits for its answer, which costs
    nothing.
    """

    __slots__ = (
        "__weakref__",
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

    def __init__(
        self,
        lane: Lane,
        who: str,
        widen: Callable[[], Callable[[int], Channel] | None] = lambda: None,
        called_at: float | None = None,
    ) -> None:
        self.lane = lane
        self.who = who
        #: The last answer gave something that the server takes back, should this side
        #: disconnect before it says so in the lane's state that the answer arrived.
        self.granted = False
        #: That of the last request.
        self.sequence = 0
        self._looks = MOST_LOOKS
        self._widen = widen
        self._connected_at = time.monotonic()
        self._called_at = self._connected_at if called_at is None else called_at
        #: When the last exchange began, and when its answer was there for the user; in
        #: monotonic seconds.
        self._began = 0.0
        self.ended = 0.0
        #: Seconds, of all exchanges before it.
        self._waited = 0.0
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
            buffers: Large buffers that belong to it.
            timeout: Seconds to wait, or None.
            looks: So many looks before it blocks; else what looking has brought.
            began: When the thread began to ask, in monotonic seconds; now by default.

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
        Change to a lane with the buffer that the server offers, or go on with this one.

        What cuts it short cuts the exchange short, and nobody uses the channel again.
        """
        lane = self.lane
        offered, lane.words[OFFERED] = lane.words[OFFERED], 0
        widen = self._widen()
        if widen is None:
            return
        try:
            wider = widen(offered)
        except ProxyError:
            return  # the server has no room for it, or is busy
        self.lane, self._poll, self.sequence = wider.lane, wider._poll, wider.sequence
        self._connected_at, self._waited = wider._connected_at, 0.0
        # Not before: it may have been the last one of this process.
        lane.close()

    def wait_until_known(self, timeout: float) -> None:
        """
        Wait until the server knows a channel that asked for a buffer.

        Args:
            timeout: Seconds.

        Raises:
            ProxyTimeout: It took longer.
            KernelGone: The server ended.
        """
        self.lane.introduce()
        if not self._poll.poll(timeout * 1000):
            raise ProxyTimeout(f"{self.who} did not take a call within {timeout} s.")
        if not self.lane.hear():
            raise self._gone()

    @property
    def was_too_late(self) -> bool:
        """
        The server has hung up before it knew this client, and nothing was asked of it.

        It does not wait for ever for the first request, which is a part of the
        handshake; a client that was stopped meanwhile, or had no core, calls again.
        """
        return (
            self.sequence == FIRST_OF_SEQUENCE
            and time.monotonic() - self._called_at > HANDSHAKE_S
            and self.lane.words[STATE] == FIRST_OF_SEQUENCE | POSTED
        )

    @property
    def is_idle(self) -> bool:
        """
        No exchange was begun that has not ended with its answer.
        """
        state = self.lane.words[STATE]
        return state in (self.sequence, self.sequence | REPLIED) and not self.granted

    def _wait_on(
        self, answered: int, watched: int, timeout: float | None, looks: int
    ) -> None:
        if watched > 1:
            words = self.lane.words
            for _ in repeat(None, looks // LOOKS_A_TURN):
                # Where more threads look than there are cores, the one that is waited
                # for may be waiting for this one's core.
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
        # The server believes no time before it knew this client.
        lane.doubles[BEGAN_AT] = max(self._began, self._connected_at)
        lane.doubles[POSTED_AT] = started
        words[WAITING] = 1
        lane.fence()
        try:
            # A server that looks at the lane needs no bell, and a bell would make two
            # of its threads want the interpreter; unless it is stuck in another call.
            trusts = words[WATCHED] > 0
            while words[STATE] != answered:
                wait = TRUST_S if trusts else RECHECK_S
                if not trusts and words[STATE] & PHASE == POSTED:
                    lane.ring()
                trusts = False
                if timeout is not None:
                    wait = min(wait, started + timeout - time.monotonic())
                    if wait <= 0:
                        raise ProxyTimeout(
                            f"No answer came within {timeout} s from {self.who}. The "
                            "object may still be working on it; its late answer will "
                            "be dropped. To wait longer, give a larger timeout."
                        )
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
        # An answer that came soon after the look ended is worth a longer look.
        if blocked_s < WORTH_S:
            self._looks = min(self._looks * 2, MOST_LOOKS)
        else:
            self._looks = max(self._looks // 2, LEAST_LOOKS)

    def leave(self) -> None:
        """
        Tell the server that the thread ends to which the channel belongs, and close it.
        """
        self.lane.words[LEAVING] = 1
        self.lane.close()

    def close(self) -> None:
        """
        Disconnect; twice is fine.

        The server takes back what it grants in the answer that is on its way.
        """
        self.lane.close()
