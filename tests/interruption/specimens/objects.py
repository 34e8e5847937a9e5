"""
Objects of the worker itself, which are called as proxies are.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Plain:
    """
    It is right at every step.
    """

    def __init__(self) -> None:
        self.latest = ""

    def add(self, _desk: Any, tag: str) -> str:
        for letter in tag:
            if letter == "-":
                self.latest = tag
        first, _ = self.twice(tag)
        return first

    def twice(self, tag: str) -> Iterator[str]:
        yield tag
        yield tag

    def is_free(self) -> bool:
        return True


class Careless(Plain):
    """
    Its lock stays taken where it is interrupted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def add(self, _desk: Any, tag: str) -> str:
        self.lock.acquire()
        self.latest = tag
        self.lock.release()
        return tag

    def is_free(self) -> bool:
        taken = self.lock.locked()
        if taken:
            self.lock.release()
        return not taken


class Swallowing(Plain):
    """
    It goes on as if nothing had been raised.
    """

    def add(self, _desk: Any, tag: str) -> str:
        try:
            self.latest = tag
        except BaseException:  # what it is wrong with
            return tag
        return tag


class Renaming(Plain):
    """
    It raises something else than what was raised.
    """

    def add(self, _desk: Any, tag: str) -> str:
        try:
            self.latest = tag
        except BaseException as error:  # what it is wrong with
            raise ValueError("another") from error
        return tag


class Retrying(Plain):
    """
    It does twice what was interrupted once it was done.
    """

    def add(self, desk: Any, tag: str) -> str:
        try:
            desk.add(tag)
            self.latest = tag
        except BaseException:
            desk.add(tag)
            raise
        return tag


class Leaking(Plain):
    """
    A descriptor stays open where it is interrupted.
    """

    def add(self, _desk: Any, tag: str) -> str:
        opened = os.open(os.devnull, os.O_RDONLY)
        self.latest = tag
        os.close(opened)
        return tag


class Hanging(Plain):
    """
    It waits for ever where it is interrupted.
    """

    def add(self, _desk: Any, tag: str) -> str:
        try:
            self.latest = tag
            self.latest = tag
        except BaseException:
            threading.Event().wait()
        return tag


class Ending(Plain):
    """
    It does something in a destructor, where nothing can be raised.
    """

    def add(self, _desk: Any, tag: str) -> str:
        Ended(self)
        return tag


class Ended:
    """
    It says that it has ended.
    """

    def __init__(self, owner: Plain) -> None:
        self.owner = owner

    def __del__(self) -> None:
        self.owner.latest = "ended"
