"""
The threads that wait for requests, and take turns at it.

::

    doorbells (sockets) ──> one thread at the post: blocks until a bell rings
                                 │ leaves the post to the next thread, and becomes
                                 v
    lanes (memory) ───────> the looker: answers, then looks at the lanes that are in
                            use for a little while, answers what it sees, and goes
                            back to wait for the post

A slow call delays nobody: while the looker is inside it, the next bell wakes the thread
at the post, which becomes the looker. Only the holder of a caller's claim answers it,
so that two lookers at once are a waste and never a mistake. Threads are made as they
are needed: there is always one more than there are calls under way.

A bell wakes once, and a thread that takes the bells of several callers may get stuck
inside the first one's call; so may a looker that a bell was left to. Therefore the
thread at the post looks after `LEFT_S` whether these callers were answered.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from ..transport.bells import Waker, make_bells
from ..transport.lanes import PHASE, POSTED, STATE, WATCHED
from .door import Door, report_error
from .interval import ShortInterval
from .watched import LEFT_S, LeftToOthers, LookTime, Watched

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Sized

    from ..transport.strangers import Stranger
    from .callers import Caller

__all__ = ["Watch"]

#: Looks between two readings of the clock.
LOOKS_PER_READING = 16
#: Between two readings pass some microseconds; more means that another thread had the
#: interpreter, and looking would take it away from that one.
CONTENDED_S = 300e-6
#: A lane without a request for this long is not looked at while others are in use.
FORGET_S = 2e-3
#: How long to wait at a time for a claim that is about to be released, in seconds.
CLAIM_S = 0.001
#: Seconds without a bell after which the switch interval is given back.
QUIET_S = 1.0
#: Threads that wait for their turn at the post; more than these end.
SPARE_THREADS = 4


class Watch:
    """
    Waits for requests of any number of callers.

    Args:
        listener: The listening socket.
        admit: As `Door` takes it.
        greet: As `Door` takes it.
        serve: Called with a caller whose claim is taken and whose request is posted;
            releases the claim.
        lost: Called with a caller that is gone.
        tidy: Called when nothing else is to be done.
        prepare: Called when nobody is looked at any more, for those who come next.
        queued: Who waits for the lock of an object; looked at for whether it is empty.
    """

    def __init__(
        self,
        listener: socket.socket,
        admit: Callable[[], bool],
        greet: Callable[[Stranger], Caller | None],
        serve: Callable[[Caller], None],
        lost: Callable[[Caller], None],
        tidy: Callable[[], None],
        prepare: Callable[[], None],
        queued: Sized,
    ) -> None:
        self._serve = serve
        self._lost = lost
        self._tidy = tidy
        self._prepare = prepare
        self._queued = queued
        self._bells = make_bells()
        self._waker = Waker()
        self.door = Door(listener, self._bells, admit, greet)
        self._bells.add(self._waker.bell, self._waker)
        self._post = threading.Lock()
        self._count_lock = threading.Lock()
        self._spare = 0
        self._threads = 0
        self._looker: object = None
        #: The looker that is inside a call, if it is.
        self._inside: object = None
        self._watched = Watched()
        self._look_time = LookTime()
        #: For the thread at the post.
        self._left = LeftToOthers()
        self._interval = ShortInterval()
        self.closed = False
        self.ended = threading.Event()
        #: (monotonic seconds, seconds) of waits before a request was seen.
        self.delays: list[tuple[float, float]] = []

    # -- from outside ----------------------------------------------------------------

    def add(self, caller: Caller) -> None:
        """
        Wait for requests of one more caller, who was a stranger.
        """
        self._bells.give(caller.lane.doorbell, caller)

    def expect(self, caller: Caller) -> None:
        """
        Look at the lane of a caller that is about to ask, where somebody looks at all.

        Its bell would wake another thread, which would want the interpreter from the
        one that looks.
        """
        if self._looker is not None:
            self._watched.add(caller)

    def pause(self, caller: Caller) -> None:
        """
        Do not look at the lane of a caller that cannot ask: it waits for its turn.
        """
        self._watched.remove(caller)

    def remove(self, caller: Caller) -> None:
        """
        Wait for no more requests of a caller.
        """
        self._bells.remove(caller.lane.doorbell)
        self._watched.remove(caller)

    def start(self) -> None:
        """
        Start the first threads: the first call is not to wait for the second one.
        """
        self._start_thread()
        self._start_thread()

    def wake(self) -> None:
        """
        Let the thread at the post have a look around. Safe in ``__del__``.
        """
        self._waker.wake()

    def close(self) -> None:
        """
        End all threads that are not inside a call of an object.
        """
        self.closed = True
        self._looker = None
        self._interval.release()
        self.wake()

    def after_fork(self) -> None:
        """
        In a child, close what it inherited.
        """
        self.closed = True
        self._bells.close()
        self._waker.close()

    # -- the threads -----------------------------------------------------------------

    def _start_thread(self) -> None:
        with self._count_lock:
            self._threads += 1
            number = self._threads
        threading.Thread(
            target=self.run,
            kwargs={"for_good": False},
            name=f"duck-server-{number}",
            daemon=True,
        ).start()

    def run(self, *, for_good: bool = True) -> None:
        """
        Be one of the threads, until the watch is closed.

        Args:
            for_good: Stay though enough others wait for their turn.
        """
        me = object()
        while not self.closed:
            with self._count_lock:
                if self._spare > SPARE_THREADS and not for_good:
                    return
                self._spare += 1
            with self._post:
                with self._count_lock:
                    self._spare -= 1
                    alone = not self._spare
                called, woken = self._wait_for_bells()
            if alone and (called or woken) and not self.closed:
                self._start_thread()
            try:
                if woken:
                    # Away from the post: what goes may run code of the user's.
                    self._tidy()
                if called:
                    self._be_looker(me, called)
            except Exception:
                report_error()  # and go on, for others wait for this thread
            # Who has gone meanwhile is not to be kept by a thread that waits.
            del called
        # It may have been taken after `close` gave it back.
        self._interval.release()
        if not self.ended.is_set():
            self._pass_the_end_on()
        # Nothing here may keep a lane mapped after the end.
        self._watched.clear()
        self._left.clear()

    def _pass_the_end_on(self) -> None:
        # Each thread that waits for the post finds the watch closed, one after another.
        self.ended.set()
        with self._post:
            self._bells.close()
            self._waker.close()
            # Else a lane would stay mapped until the server itself is collected.
            self._left.clear()
            self.door.clear()

    def _wait_for_bells(self) -> tuple[list[tuple[Caller, bool]], bool]:
        """
        Block at the post until somebody calls.

        Returns:
            Who calls, with whether the bell has to be heard; and whether `wake` was
            called.
        """
        called: list[tuple[Caller, bool]] = []
        woken = False
        while not (called or woken or self.closed):
            called, woken = self._wait_once()
        # This thread answers the first one at once; the others may have to wait.
        for caller, _ in called[1:]:
            self._left.add(caller)
        return called, woken

    def _wait_once(self) -> tuple[list[tuple[Caller, bool]], bool]:
        # A method of its own: what it names is not kept while it waits again.
        called: list[tuple[Caller, bool]] = []
        woken = False
        quiet = QUIET_S if self._interval.wanted else None
        timeout = LEFT_S if self._left else self.door.patience(quiet)
        owners = self._bells.wait(timeout if self.door.is_quiet else 0)
        self.door.try_again()
        if self._left:
            called = self._left.find_stuck()
        elif not owners and self.door.is_quiet:
            self._interval.release()
        for owner, must_hear in owners:
            if self.door.takes(owner):
                self._interval.want()
            elif owner is self._waker:
                self._waker.hear()
                woken = True
            elif must_hear or not self._is_being_looked_after(owner):
                called.append((owner, must_hear))
        if not self.door.is_quiet:
            called += self.door.see_to_one()
        return called, woken

    def _is_being_looked_after(self, caller: Caller) -> bool:
        """
        Leave a caller to a looker that is at work.
        """
        looks = self._looker is not None and self._inside is None
        if looks and caller.words[WATCHED]:
            self._left.add(caller)
            return True
        return False

    def _be_looker(self, me: object, called: list[tuple[Caller, bool]]) -> None:
        self._looker = me
        self._look_time.begin()
        if not self._interval.wanted:
            self._interval.want()
        for caller, must_hear in called:
            # First the bell, then the state: the other way round the bell of the next
            # request could be taken for this one's.
            if must_hear and not caller.lane.hear():
                self.remove(caller)
                self._lost(caller)
            elif self._answer(me, caller) and self._looker is me:
                self._watched.add(caller)
        if self._looker is me:
            self._look(me)
        if self._looker is me:
            self._looker = None
        if self._looker is None:
            # Also where another looker went while this one was inside a call.
            self._catch_up(me, self._watched.clear())
            self._prepare()

    def _answer(self, me: object, caller: Caller) -> bool:
        words = caller.words
        if words[STATE] & PHASE != POSTED:
            return False
        if not caller.claim.acquire(False) and not self._wait_for_claim(me, caller):
            return False
        if words[STATE] & PHASE != POSTED:
            caller.claim.release()
            return False
        now = time.monotonic()
        delay = caller.blocked_since(now)
        if delay:
            self.delays.append((now, delay))
            if len(self.delays) > 512:
                del self.delays[:256]
        self._inside = me
        self._serve(caller)
        if self._inside is me:
            self._inside = None
        return True

    def _wait_for_claim(self, me: object, caller: Caller) -> bool:
        """
        Wait for the thread that answered the last request and still holds the claim.

        It takes microseconds, but for a client that asks again inside its own call;
        so nobody is left to this thread meanwhile.
        """
        if not caller.next_claim.acquire(False):
            return False
        self._inside = me
        try:
            while caller.words[STATE] & PHASE == POSTED and not caller.gone:
                if caller.claim.acquire(timeout=CLAIM_S):
                    return True
            return False
        finally:
            caller.next_claim.release()
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
        while self._looker is me:
            hit = False
            for caller in self._watched.callers:
                words = caller.words
                if words[STATE] & PHASE == POSTED and caller.claim.acquire(False):
                    if words[STATE] & PHASE != POSTED:
                        caller.claim.release()
                        continue
                    self._inside = me
                    serve(caller)
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
                self._catch_up(me, self._watched.forget_the_silent())
            last = now
        self._look_time.end()

    def _catch_up(self, me: object, callers: Iterable[Caller]) -> None:
        """
        Answer what was posted between the last look and now, for which no bell rang.
        """
        for caller in callers:
            caller.lane.fence()
            if caller.words[STATE] & PHASE == POSTED:
                self._answer(me, caller)
