"""
What may be done through a proxy, and what is said to whoever may not.

A policy guards against mistakes. Every worker that has the server's secret runs as the
same user and can do what the user can.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import MutableMapping, MutableSequence, MutableSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..errors import AccessDenied, NotShareable
from ..protocol.special import INPLACE, SPECIAL_NAMES

__all__ = [
    "DEFAULT_BUFSIZE",
    "DEFAULT_MAX_CHAIN",
    "DEFAULT_MAX_MESSAGE",
    "Policy",
    "check_allow",
    "check_bufsize",
    "check_max_chain",
]

DEFAULT_BUFSIZE = 200
DEFAULT_MAX_CHAIN = 7
DEFAULT_MAX_MESSAGE = 2**31
#: The longest of the server's own control words takes this many bytes.
LEAST_BUFSIZE = 64
MOST_BUFSIZE = 2**30
MOST_CHAIN = 1000
SPECIALS = frozenset(SPECIAL_NAMES) | {"__delattr__", "__copy__", "__deepcopy__"}
WRITING_SPECIALS = frozenset(
    {"__setitem__", "__delitem__", "__delattr__", *(f"__i{name}__" for name in INPLACE)}
)
#: Ways in and out, which no list of names need hold.
ALWAYS = frozenset({"__dir__", "__hash__", "__bool__", "__eq__", "__ne__"})
WRITING_METHODS = frozenset(
    {
        *("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"),
        *("popitem", "setdefault", "update", "subtract", "move_to_end"),
        *("add", "discard", "difference_update", "intersection_update"),
        *("symmetric_difference_update",),
        *("appendleft", "extendleft", "popleft", "rotate"),
    }
)
#: A mapping's `get` takes nothing out.
QUEUE_METHODS = frozenset({"get", "get_nowait", "put", "put_nowait", "task_done"})
QUEUES = (queue.Queue, queue.SimpleQueue)
CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque)


@dataclass(frozen=True)
class Policy:
    """
    The settings of one shared object, and of all that is reached through it.
    """

    #: The name it is shared under.
    name: str
    #: Bytes; a frame above this size travels beside the buffer.
    bufsize: int
    max_chain: int = DEFAULT_MAX_CHAIN
    readonly: bool = False
    #: The only names that may be used, or None. For the object itself, not for what
    #: its methods return.
    allow: frozenset[str] | None = None
    #: The object itself will not change.
    frozen: bool = False

    @cached_property
    def is_open(self) -> bool:
        """
        Nothing but the fixed list of special names needs checking.
        """
        return self.allow is None and not self.readonly

    @cached_property
    def mode(self) -> str:
        """
        What workers may do with the object, in a word.
        """
        if self.frozen:
            return "frozen"
        return "read-only" if self.readonly else "live"

    @cached_property
    def for_results(self) -> Policy:
        """
        The settings of what is reached through the object.
        """
        if self.allow is None and not self.frozen:
            return self
        return replace(self, allow=None, frozen=False)

    def check(self, target: Any, name: str, *, writes: bool = False) -> None:
        """
        Refuse what may not be done.

        Args:
            target: The object.
            name: The attribute or method.
            writes: The attribute is to be set.

        Raises:
            AccessDenied: It may not.
        """
        if name[:2] == "__" and name not in SPECIALS:
            raise AccessDenied(
                f"{name!r} of {self.name} does not pass through a proxy: of the names "
                "with two underscores only the special methods that Python itself "
                "calls do, and no setting opens others."
            )
        if self.allow is not None and name not in self.allow and name not in ALWAYS:
            names = ",".join(sorted([*self.allow, name]))
            raise AccessDenied(
                f"{name!r} of {self.name} is not among the names that it is shared "
                f"with (allow: {', '.join(sorted(self.allow)) or 'none'}). To open it: "
                f"%share {self.name} --allow {names}"
            )
        if self.readonly and (writes or _is_writing(target, name)):
            raise AccessDenied(
                f"{self.name} is shared read-only, and {name!r} would change it. To "
                f"open it, share it without --readonly: %share {self.name}"
            )


def _is_writing(target: Any, name: str) -> bool:
    if name in WRITING_SPECIALS:
        return True
    if name in WRITING_METHODS:
        return isinstance(target, CONTAINERS)
    return name in QUEUE_METHODS and isinstance(target, QUEUES)


def check_allow(allow: Any) -> None:
    """
    Refuse what is no list of names.

    Raises:
        NotShareable: It is one string, or holds something else than strings.
    """
    if allow is None:
        return
    if isinstance(allow, str) or not all(isinstance(name, str) for name in allow):
        raise NotShareable(
            f"allow={allow!r} cannot be: it is a list of names, such as "
            "['predict', 'score']."
        )


def check_bufsize(bufsize: Any) -> None:
    """
    Refuse a size that no buffer can have.

    Raises:
        NotShareable: It is no whole number, or out of bounds.
    """
    if type(bufsize) is not int or not LEAST_BUFSIZE <= bufsize <= MOST_BUFSIZE:
        raise NotShareable(
            f"A bufsize of {bufsize!r} cannot be: it is a whole number of bytes from "
            f"{LEAST_BUFSIZE}, which the server's own control words need, to "
            f"{MOST_BUFSIZE:,}."
        )


def check_max_chain(max_chain: Any) -> None:
    """
    Refuse a level that no proxy can have.

    Raises:
        NotShareable: It is no whole number, or negative.
    """
    if type(max_chain) is not int or not 0 <= max_chain <= MOST_CHAIN:
        raise NotShareable(
            f"A max_chain of {max_chain!r} cannot be: it is a whole number from 0, "
            f"which allows no chained proxies, to {MOST_CHAIN}."
        )
