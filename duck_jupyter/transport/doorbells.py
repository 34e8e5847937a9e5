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

#: Drain after this many bells. A bell is one byte, and a socket's buffer holds far
#: more.
HEAR_EVERY = 32


class Bells:
    """
    Waits for bells with any selector of the system. Any thread may add and remove.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def add(self, bell: socket.socket, owner: Any) -> None:
        """
        Wait for one more bell.
        """
        self._selector.register(bell, selectors.EVENT_READ, owner)

    def give(self, bell: socket.socket, owner: Any) -> None:
        """
        Change the owner of a bell.
        """
        self._selector.modify(bell, selectors.EVENT_READ, owner)

    def remove(self, bell: socket.socket) -> None:
        """
        Stop waiting for a bell. Repeated calls do nothing.
        """
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(bell)

    def wait(self, timeout: float | None) -> list[tuple[Any, bool]]:
        """
        Block until a bell rings.

        Args:
            timeout: Seconds, or None.

        Returns:
            (owner, must_drain) for each bell that rang: drain the socket first, or the
            selector reports it again.
        """
        return [(key.data, True) for key, _ in self._selector.select(timeout)]

    def close(self) -> None:
        """
        Close the selector.
        """
        self._selector.close()


class EdgeBells(Bells):
    """
    The same for Linux, with edges: a bell wakes one thread once, drained or not.

    Draining is a system call that releases the interpreter, for milliseconds if another
    thread computes. So only one bell in many is drained.
    """

    def __init__(self) -> None:
        #: Closed with the last thread that uses it, so that its number stays unique.
        self._epoll: select.epoll | None = select.epoll()
        self._owners: dict[int, Any] = {}
        self._unheard: dict[int, int] = {}

    def add(self, bell: socket.socket, owner: Any) -> None:
        """
        Wait for one more bell.
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
        Change the owner of a bell.
        """
        self._owners[bell.fileno()] = owner

    def remove(self, bell: socket.socket) -> None:
        """
        Stop waiting for a bell. Repeated calls do nothing.
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
        Close the selector.
        """
        self._epoll = None
        self._owners.clear()


class Waker:
    """
    Wakes the thread that waits for bells, from any other thread.
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
        Drain the bells, in the thread that was woken.
        """
        with contextlib.suppress(OSError):
            self.bell.recv(4096)

    def close(self) -> None:
        """
        Stop waking; called by the thread that is woken. Repeated calls do nothing.
        """
        self._waker = None
        self.bell.close()


def make_bells() -> Bells:
    """
    Make the best selector that this system has.
    """
    return EdgeBells() if hasattr(select, "epoll") else Bells()
