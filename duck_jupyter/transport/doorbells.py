"""
Waiting for the bells of many lanes at once.
"""

from __future__ import annotations

import contextlib
import select
import selectors
import socket
from typing import Any

from .lanes import Doorbell

__all__ = ["Bells", "Waker", "make_bells"]

#: One byte a bell: far from what a socket's buffer holds.
HEAR_EVERY = 32


class Bells:
    """
    Waits with whatever the system has. Any thread may add and remove.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def add(self, bell: socket.socket, owner: Any) -> None:
        """
        Wait for one more.
        """
        self._selector.register(bell, selectors.EVENT_READ, owner)

    def give(self, bell: socket.socket, owner: Any) -> None:
        """
        Give a bell that is waited for to another owner.
        """
        self._selector.modify(bell, selectors.EVENT_READ, owner)

    def remove(self, bell: socket.socket) -> None:
        """
        Wait for one less; twice is fine.
        """
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(bell)

    def wait(self, timeout: float | None) -> list[tuple[Any, bool]]:
        """
        Block until a bell rings.

        Args:
            timeout: Seconds, or None.

        Returns:
            For each bell that rang its owner, and whether it must be drained before the
            lane is read; else the selector reports it again.
        """
        return [(key.data, True) for key, _ in self._selector.select(timeout)]

    def close(self) -> None:
        """
        Give the system's part back.
        """
        self._selector.close()


class EdgeBells(Bells):
    """
    The same on Linux, where a bell wakes one thread once, heard or not.

    To hear is a system call that gives the interpreter away, for milliseconds where
    another thread computes; so only one bell in many is heard.
    """

    def __init__(self) -> None:
        #: Closed with the last thread that uses it, so that its number stays its own.
        self._epoll: select.epoll | None = select.epoll()
        self._owners: dict[int, Any] = {}
        self._unheard: dict[int, int] = {}

    def add(self, bell: socket.socket, owner: Any) -> None:
        """
        Wait for one more.
        """
        self._owners[bell.fileno()] = owner
        self._unheard[bell.fileno()] = 0
        events = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
        self._selected().register(bell.fileno(), events)

    def _selected(self) -> select.epoll:
        if self._epoll is None:
            raise ValueError("the selector was closed")
        return self._epoll

    def give(self, bell: socket.socket, owner: Any) -> None:
        """
        Give a bell that is waited for to another owner.
        """
        self._owners[bell.fileno()] = owner

    def remove(self, bell: socket.socket) -> None:
        """
        Wait for one less; twice is fine.
        """
        if self._owners.pop(bell.fileno(), None) is not None:
            with contextlib.suppress(OSError, ValueError):
                self._selected().unregister(bell.fileno())

    def wait(self, timeout: float | None) -> list[tuple[Any, bool]]:
        """
        Block until a bell rings.
        """
        rang = []
        for fd, events in self._selected().poll(timeout):
            owner = self._owners.get(fd)
            if owner is None:
                continue
            unheard = self._unheard.get(fd, 0) + 1
            must_hear = unheard >= HEAR_EVERY or events != select.EPOLLIN
            self._unheard[fd] = 0 if must_hear else unheard
            rang.append((owner, must_hear))
        return rang

    def close(self) -> None:
        """
        Give the system's part back.
        """
        self._epoll = None
        self._owners.clear()


class Waker:
    """
    Wakes the thread that waits for bells, from any other one.
    """

    def __init__(self) -> None:
        waker, bell = socket.socketpair()
        for end in (waker, bell):
            end.setblocking(False)
            end.__class__ = Doorbell
        #: Closed with the last thread that uses it.
        self._waker: socket.socket | None = waker
        self.bell: socket.socket = bell

    def wake(self) -> None:
        """
        Ring the bell. Safe in ``__del__``.
        """
        waker = self._waker
        if waker is not None:
            with contextlib.suppress(OSError):
                waker.send(b"w")

    def hear(self) -> None:
        """
        Take what came, in the thread that was woken.
        """
        with contextlib.suppress(OSError):
            self.bell.recv(4096)

    def close(self) -> None:
        """
        Wake nobody any more; called by the thread that is woken. Twice is fine.
        """
        self._waker = None
        self.bell.close()


def make_bells() -> Bells:
    """
    Make the best that this system has.
    """
    return EdgeBells() if hasattr(select, "epoll") else Bells()
