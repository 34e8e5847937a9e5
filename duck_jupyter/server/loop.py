"""
The threads that wait for requests, and take turns to do so (Leader/Followers).

::

    doorbells (sockets) ──> the leader: blocks until a bell rings
                                 │ lets the next thread lead, and becomes
                                 v
    lanes (memory) ───────> the poller: answers, polls the lanes that are in use for a
                            short time, answers further requests, and then waits for
                            its turn to lead

A slow call delays no other client: while the poller runs it, the next bell wakes the
leader, which becomes the poller. Only the thread that holds a connection's claim
answers it, so two pollers at the same time waste time and do no harm. Threads are
started as needed: there is always one more than there are calls in progress.

A bell wakes once. A thread that takes the bells of several connections may block inside
the call of the first one, and so may a poller that was given a bell. Therefore the
leader checks after `LEFT_S` whether these connections were answered.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ..transport.doorbells import Waker, make_bells
from ..transport.lanes import WATCHED
from .admission import Door, report_error
from .poller import Poller
from .spin import LEFT_S, LeftToOthers
from .switch_interval import ShortInterval

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sized

    from ..transport.pending_handshakes import Stranger
    from .connections import Connection

__all__ = ["Loop"]

#: Seconds without a bell after which the switch interval is restored.
QUIET_S = 1.0
#: The number of threads that wait for their turn to lead; more of them end.
SPARE_THREADS = 4


class Loop:
    """
    Waits for requests of any number of connections.

    Args:
        listener: The listening socket.
        admit: As for `Door`.
        greet: As for `Door`.
        serve: As for `Poller`.
        lost: Called with a disconnected connection.
        tidy: Called when there is nothing else to do.
        prepare: As for `Poller`.
        queued: As for `Poller`.
    """

    def __init__(
        self,
        listener: socket.socket,
        admit: Callable[[], bool],
        greet: Callable[[Stranger], Connection | None],
        serve: Callable[[Connection], None],
        lost: Callable[[Connection], None],
        tidy: Callable[[], None],
        prepare: Callable[[], None],
        queued: Sized,
    ) -> None:
        self._lost = lost
        self._tidy = tidy
        self._bells = make_bells()
        self._waker = Waker()
        self.door: Door = Door(listener, self._bells, admit, greet)
        self._bells.add(self._waker.bell, self._waker)
        self._post = threading.Lock()
        self._count_lock = threading.Lock()
        self._spare = 0
        self._threads = 0
        #: Used by the leader.
        self._left = LeftToOthers()
        self._interval = ShortInterval()
        self.poller: Poller = Poller(serve, self._drop, prepare, queued, self._interval)
        self.closed: bool = False
        self.ended: threading.Event = threading.Event()

    # -- from outside ----------------------------------------------------------------

    def add(self, connection: Connection) -> None:
        """
        Wait for requests of one more connection, which was a pending handshake.
        """
        self._bells.give(connection.lane.doorbell, connection)

    def expect(self, connection: Connection) -> None:
        """
        Poll the lane of a connection that will soon send a request, if a thread polls.

        Its bell would wake another thread, which would compete for the interpreter with
        the thread that polls.
        """
        if self.poller.polls and connection.is_polled:
            self.poller.watched.add(connection)

    def pause(self, connection: Connection) -> None:
        """
        Do not poll the lane of a connection that cannot send: it waits for a lock.
        """
        self.poller.watched.remove(connection)

    def remove(self, connection: Connection) -> None:
        """
        Stop waiting for requests of a connection.
        """
        self._bells.remove(connection.lane.doorbell)
        self.poller.watched.remove(connection)

    def _drop(self, connection: Connection) -> None:
        """
        Drop a connection whose client has disconnected.
        """
        self.remove(connection)
        self._lost(connection)

    def busy_delay(self) -> float | None:
        """
        Return the longest delay of a client in the last two seconds, in seconds.
        """
        return self.poller.delays.longest(time.monotonic())

    def start(self) -> None:
        """
        Start the first threads, so that the first call does not wait for a second one.
        """
        self._start_thread()
        self._start_thread()

    def hurry(self) -> None:
        """
        Shorten the switch interval: a client of another host has sent a request.

        It is restored as after the requests in lanes, when a second was quiet.
        """
        if not self._interval.wanted and not self.closed:
            self._interval.want()
            self.wake()

    def wake(self) -> None:
        """
        Wake the leader. Safe in ``__del__``.
        """
        self._waker.wake()

    def close(self) -> None:
        """
        End all threads that are not running a call of an object.
        """
        self.closed = True
        self.poller.stop()
        self._interval.release()
        self.wake()

    def after_fork(self) -> None:
        """
        In a forked child, close what it inherited.
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
        Run one of the threads, until the loop is closed.

        Args:
            for_good: Whether to stay even if enough other threads wait for their turn.
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
                    # Not as the leader: releasing may run code of the user.
                    self._tidy()
                if called:
                    self.poller.poll(me, called)
            except Exception:
                report_error()  # and continue: other connections need this thread
            # A waiting thread must not keep connections that have closed meanwhile.
            del called
        # It may have been shortened after `close` restored it.
        self._interval.release()
        if not self.ended.is_set():
            self._pass_the_end_on()
        # Nothing here may keep a lane mapped after the end.
        self.poller.watched.clear()
        self._left.clear()

    def _pass_the_end_on(self) -> None:
        # Each thread that waits to lead finds the loop closed, one after another.
        self.ended.set()
        with self._post:
            self._bells.close()
            self._waker.close()
            # Otherwise a lane would stay mapped until the server itself is collected.
            self._left.clear()
            self.door.clear()

    def _wait_for_bells(self) -> tuple[list[tuple[Connection, bool]], bool]:
        """
        Block until a client sends a request; for the leader.

        Returns:
            (connection, must_drain): drain the socket first, or the selector reports it
            again; and whether `wake` was called.
        """
        called: list[tuple[Connection, bool]] = []
        woken = False
        while not (called or woken or self.closed):
            called, woken = self._wait_once()
        # This thread answers the first one at once; the others may have to wait.
        for connection, _ in called[1:]:
            self._left.add(connection)
        return called, woken

    def _wait_once(self) -> tuple[list[tuple[Connection, bool]], bool]:
        # A separate method, so that its variables are not kept during the next wait.
        called: list[tuple[Connection, bool]] = []
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

    def _is_being_looked_after(self, connection: Connection) -> bool:
        """
        Leave a connection to a thread that polls.
        """
        if self.poller.is_free and connection.words[WATCHED]:
            self._left.add(connection)
            return True
        return False
