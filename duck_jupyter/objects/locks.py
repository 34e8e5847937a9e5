"""
The locks that `locked(proxy)` takes: one for each object, first come, first served.

A claim holds the lock or waits for it, in one queue for each object. No thread of the
server blocks: the server answers a client's claim when its turn comes, and wakes only
that client. A claim of the server's own process waits in its own thread.

The server knows all holders and waiters. So it refuses a claim that would close a
circle of threads that wait for each other, which would never end.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from ..stats.rows import Wait
from .deadlock import deadlock_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .claims import Claim

__all__ = ["ObjectLocks"]


class _ObjectLock:
    """
    The lock of one object. It keeps the object alive, so that its id stays unique.
    """

    __slots__ = ("holders", "target", "waiters")

    def __init__(self, target: Any) -> None:
        self.target = target
        #: Claims of one owner, which may take the lock again inside its block.
        self.holders: list[Claim] = []
        self.waiters: deque[Claim] = deque()


class ObjectLocks:
    """
    The locks of all objects. Any thread may call it.

    A thread of this process may be interrupted anywhere. So it only makes claims, and
    ends claims for which no other thread waits. Threads of the server do the rest,
    which must wake other threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[int, _ObjectLock] = {}
        #: The waiting claims, by owner. A thread has several if one of its signal
        #: handlers waits too.
        self.waiting: dict[Hashable, list[Claim]] = {}
        #: The claims that threads of this process gave up.
        self._given_up: deque[Claim] = deque()

    def acquire(self, claim: Claim) -> bool:
        """
        Make a claim.

        Returns:
            True if it holds the lock; otherwise it waits, and `tell` is called later.

        Raises:
            DeadlockError: The holder of the lock waits, directly or through others, for
                a lock that the owner of the claim holds.
        """
        with self._lock:
            lock = self._locks.get(id(claim.target))
            if lock is None:
                lock = self._locks[id(claim.target)] = _ObjectLock(claim.target)
            holders = lock.holders
            if not holders or holders[0].owner == claim.owner:
                holders.append(claim)
                return True
            self._require_no_circle(claim, holders[0])
            claim.queue()
            self.waiting.setdefault(claim.owner, []).append(claim)
            lock.waiters.append(claim)
            return False

    def end(self, claim: Claim) -> bool:
        """
        Release a claim, whether it waits or holds the lock, and wake the next waiter.

        Returns:
            False if it did not hold the lock.
        """
        told: list[Claim] = []
        with self._lock:
            lock = self._locks.get(id(claim.target))
            if lock is None:
                return False
            held = claim in lock.holders
            if held:
                lock.holders.remove(claim)
            elif claim in lock.waiters:
                lock.waiters.remove(claim)
                self._forget_wait(claim)
            if not lock.holders and lock.waiters:
                owner = lock.waiters[0].owner
                told = [waiter for waiter in lock.waiters if waiter.owner == owner]
                for waiter in told:
                    lock.waiters.remove(waiter)
                    lock.holders.append(waiter)
                    self._forget_wait(waiter)
            elif not lock.holders:
                del self._locks[id(claim.target)]
        for waiter in told:
            waiter.tell()
        return held

    def give_up(self, claim: Claim) -> bool:
        """
        Release a claim of a thread of this process. Repeated calls do nothing.

        Returns:
            True if a thread of the server must call `end_given_up`.
        """
        with self._lock:
            lock = self._locks.get(id(claim.target))
            if lock is None:
                return False
            if lock.waiters:
                self._given_up.append(claim)
                return True
            if claim in lock.holders:
                lock.holders.remove(claim)
            if not lock.holders:
                del self._locks[id(claim.target)]
            return False

    def end_given_up(self) -> None:
        """
        Release the claims that threads of this process gave up.
        """
        while self._given_up:
            with contextlib.suppress(IndexError):  # another thread was faster
                self.end(self._given_up.popleft())

    def _forget_wait(self, claim: Claim) -> None:
        waits = self.waiting.get(claim.owner, [])
        if claim in waits:
            waits.remove(claim)
        if not waits:
            self.waiting.pop(claim.owner, None)

    def _require_no_circle(self, claim: Claim, holder: Claim) -> None:
        """
        Follow the chain of holders and their claims, until a holder does not wait.
        """
        seen: set[Hashable] = set()
        ways: list[tuple[Claim, list[tuple[Claim, Claim]]]] = [(holder, [])]
        while ways:
            blocking, links = ways.pop()
            if blocking.owner == claim.owner:
                raise deadlock_of([*links, (blocking, claim)])
            if blocking.owner in seen:
                continue
            seen.add(blocking.owner)
            for wanted in self.waiting.get(blocking.owner, ()):
                lock = self._locks.get(id(wanted.target))
                if lock is not None and lock.holders:
                    ways.append((lock.holders[0], [*links, (blocking, wanted)]))

    def holder_of(self, target: Any) -> Claim | None:
        """
        Return a claim that holds the lock of an object, or None.
        """
        with self._lock:
            lock = self._locks.get(id(target))
            return lock.holders[0] if lock is not None and lock.holders else None

    def waits(self) -> list[Wait]:
        """
        List each waiting thread, the object it waits for, and the holder.
        """
        now = time.monotonic()
        with self._lock:
            return [
                Wait(
                    f"locked({claim.entry.path})",
                    claim.worker,
                    lock.holders[0].worker if lock.holders else "",
                    now - claim.since,
                )
                for lock in self._locks.values()
                for claim in lock.waiters
            ]
