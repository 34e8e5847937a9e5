"""
Waiting for the bells of many lanes at once.
"""

from __future__ import annotations

import contextlib
import select
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

__all__ = ["Bells", "make_bells"]


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

    def remove(self, bell: socket.socket) -> None:
        """
        Wait for one less; twice is fine.
        """
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(bell)

    def wait(self, timeout: float | None) -> list[Any]:
        """
        Block until a bell rings.

        Args:
            timeout: Seconds, or None.

        Returns:
            The owners of the bells that rang.
        """
        return [key.data for key, _ in self._selector.select(timeout)]

    def close(self) -> None:
        """
        Give the system's part back.
        """
        self._selector.close()


class EdgeBells(Bells):
    """
    The same on Linux, where a bell that is heard later does not wake a second thread.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._owners: dict[int, Any] = {}

    def add(self, bell: socket.socket, owner: Any) -> None:
        """
        Wait for one more.
        """
        self._owners[bell.fileno()] = owner
        self._epoll.register(bell.fileno(), select.EPOLLIN | select.EPOLLET)

    def remove(self, bell: socket.socket) -> None:
        """
        Wait for one less; twice is fine.
        """
        if self._owners.pop(bell.fileno(), None) is not None:
            with contextlib.suppress(OSError, ValueError):
                self._epoll.unregister(bell.fileno())

    def wait(self, timeout: float | None) -> list[Any]:
        """
        Block until a bell rings.
        """
        found = self._epoll.poll(timeout)
        owners = self._owners
        return [owners[fd] for fd, _ in found if fd in owners]

    def close(self) -> None:
        """
        Give the system's part back.
        """
        self._epoll.close()


def make_bells() -> Bells:
    """
    Make the best that this system has.
    """
    return EdgeBells() if hasattr(select, "epoll") else Bells()
