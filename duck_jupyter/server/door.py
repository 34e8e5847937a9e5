"""
What a server closes with itself: another place where clients connect.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Door"]


class Door(Protocol):
    """
    A listening socket beside the server's own.
    """

    #: For whom it was opened.
    owner: object

    def close(self) -> None:
        """
        Stop listening, and disconnect all clients. Repeated calls do nothing.
        """
        ...

    def after_fork(self) -> None:
        """
        In a forked child, close what it inherited.
        """
        ...
