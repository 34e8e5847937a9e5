"""
The poller: the thread that answers, and polls the lanes in use for a short time.

A client that calls again within microseconds need not ring a bell, and no thread must
wake up for it.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ..stats.delays import Delays
from ..transport.lanes import PHASE, POSTED, POSTED_AT, STATE
from .spin import LookTime, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sized

    from .connections import Connection
    from .switch_interval import ShortInterval

__all__ = ["Poller"]

#: Polls between two readings of the clock.
LOOKS_PER_READING = 16
#: Two readings are some microseconds apart. If they are more, another thread had the
#: interpreter, and further polling would take it away from that thread.
CONTENDED_S = 300e-6
#: A lane without a request for this long is not polled while others are in use.
FORGET_S = 2e-3
#: How long to wait at a time for a claim that will be released soon, in seconds.
CLAIM_S = 0.001


class Poller:
    """
    The work of the one thread that answers and polls, and the identity of this thread.

    Args:
        serve: Called with a connection whose claim is held and whose request is posted;
            it releases the claim.
        lost: Called with a disconnected connection.
        prepare: Called when no lane is polled any more, to prepare for new clients.
        queued: The connections that wait for the lock of an object; only tested for
            being empty.
        interval: The switch interval while a thread polls.
    """

    def __init__(
        self,
        serve: Callable[[Connection], None],
        lost: Callable[[Connection], None],
        prepare: Callable[[], None],
        queued: Sized,
        interval: ShortInterval,
    ) -> None:
        self._serve = serve
        self._lost = lost
        self._prepare = prepare
        self._queued = queued
        self._interval = interval
        self._poller: object = None
        #: The poller, if it is running a call.
        self._inside: object = None
        self.watched: Watched = Watched()
        self._look_time = LookTime()
        self.delays: Delays = Delays()

    @property
    def polls(self) -> bool:
        """
        Whether a thread polls, or runs a call and polls afterwards.
        """
        return self._poller is not None

    @property
    def is_free(self) -> bool:
        """
        Whether a thread polls, and is not running a call.
        """
        return self._poller is not None and self._inside is None

    def stop(self) -> None:
        """
        Let the thread that polls end.
        """
        self._poller = None

    def poll(self, me: object, called: list[tuple[Connection, bool]]) -> None:
        """
        Answer the given requests, and poll until no client calls for a while.

        Args:
            me: Identifies this thread.
            called: (connection, must_drain) for each connection with a bell.
        """
        self._poller = me
        self._look_time.begin()
        if not self._interval.wanted:
            self._interval.want()
        for connection, must_hear in called:
            # First the bell, then the state: in the other order the bell of the next
            # request could be taken for this one's.
            if must_hear and not connection.lane.hear():
                self._lost(connection)
            elif self._answer(me, connection) and self._poller is me:
                self.watched.add(connection)
        if self._poller is me:
            self._look(me)
        if self._poller is me:
            self._poller = None
        if self._poller is None:
            # Also if another poller ended while this one was running a call.
            self._catch_up(me, self.watched.clear())
            self._prepare()

    def _answer(self, me: object, connection: Connection) -> bool:
        words = connection.words
        if words[STATE] & PHASE != POSTED:
            return False
        if not connection.claim.acquire(False) and not self._wait_for_claim(
            me, connection
        ):
            return False
        if words[STATE] & PHASE != POSTED:
            connection.claim.release()
            return False
        if connection.doubles[POSTED_AT]:
            self._note_delay(connection)
        self._inside = me
        self._serve(connection)
        if self._inside is me:
            self._inside = None
        return True

    def _note_delay(self, connection: Connection) -> None:
        """
        Note how long a client had blocked before its request was seen.
        """
        # The first request of a client waits for its handshake, not for a busy kernel.
        if connection.counts:
            now = time.monotonic()
            self.delays.note(now, connection.blocked_for(now))

    def _wait_for_claim(self, me: object, connection: Connection) -> bool:
        """
        Wait for the thread that answered the last request and still holds the claim.

        This takes microseconds, unless a client sends a request inside its own call; so
        no other connection is left to this thread meanwhile.
        """
        if not connection.next_claim.acquire(False):
            return False
        self._inside = me
        try:
            while connection.words[STATE] & PHASE == POSTED and not connection.gone:
                if connection.claim.acquire(timeout=CLAIM_S):
                    return True
            return False
        finally:
            connection.next_claim.release()
            if self._inside is me:
                self._inside = None

    def _look(self, me: object) -> None:
        serve = self._serve
        # A client on this core goes first: it has an answer to read, or is about to
        # post a request.
        os.sched_yield()
        idle_since: float | None = None
        misses = 0
        last = 0.0
        pruned = 0.0
        while self._poller is me:
            hit = False
            for connection in self.watched.connections:
                words = connection.words
                if words[STATE] & PHASE == POSTED and connection.claim.acquire(False):
                    if words[STATE] & PHASE != POSTED:
                        connection.claim.release()
                        continue
                    if connection.doubles[POSTED_AT]:
                        self._note_delay(connection)
                    self._inside = me
                    serve(connection)
                    if self._inside is me:
                        self._inside = None
                    hit = True
            if hit:
                misses = 0
                idle_since = None
                continue
            misses += 1
            if self._queued:
                # The next holder of the lock may be waiting for this core.
                os.sched_yield()
            if misses % LOOKS_PER_READING:
                continue
            now = time.monotonic()
            if idle_since is None:
                idle_since = last = now
                continue
            if now - last > CONTENDED_S or now - idle_since > self._look_time.seconds:
                break
            if now - pruned > FORGET_S:
                pruned = now
                self._catch_up(me, self.watched.forget_the_silent())
            last = now
        self._look_time.end()

    def _catch_up(self, me: object, connections: Iterable[Connection]) -> None:
        """
        Answer requests that were posted after the last poll, for which no bell rang.
        """
        for connection in connections:
            connection.lane.fence()
            if connection.words[STATE] & PHASE == POSTED:
                self._answer(me, connection)
