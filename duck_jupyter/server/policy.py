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

from ..errors import AccessDenied
from ..protocol.special import INPLACE, SPECIAL_NAMES

__all__ = ["DEFAULT_MAX_CHAIN", "Policy"]

DEFAULT_MAX_CHAIN = 7
SPECIALS = frozenset(SPECIAL_NAMES) | {"__delattr__"}
WRITING_SPECIALS = frozenset(
    {"__setitem__", "__delitem__", "__delattr__", *(f"__i{name}__" for name in INPLACE)}
)
#: Ways in and out, which no list of names need hold.
ALWAYS = frozenset({"__dir__", "__hash__", "__bool__", "__eq__", "__ne__"})
WRITING_METHODS = frozenset(
    {
        *(name for name in dir(MutableSequence) if name not in dir(tuple)),
        *(name for name in dir(MutableMapping) if name not in dir(frozenset)),
        *(name for name in dir(MutableSet) if name not in dir(frozenset)),
        *("appendleft", "extendleft", "popleft", "rotate", "sort", "update"),
        *("difference_update", "intersection_update", "symmetric_difference_update"),
        *("put", "put_nowait", "get_nowait"),
    }
) - {"get", "keys", "items", "values", "index", "count"}
CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque, queue.Queue)


@dataclass(frozen=True)
class Policy:
    """
    The settings of one shared object, and of all that is reached through it.
    """

    #: The name it is shared under.
    name: str
    #: Bytes; a frame above this size travels in a block of its own.
    bufsize: int
    max_chain: int = DEFAULT_MAX_CHAIN
    readonly: bool = False
    #: The only names that may be used, or None. For the object itself, not for what
    #: its methods return.
    allow: frozenset[str] | None = None

    @cached_property
    def is_open(self) -> bool:
        """
        Nothing but the fixed list of special names needs checking.
        """
        return self.allow is None and not self.readonly

    @cached_property
    def for_results(self) -> Policy:
        """
        The settings of what is reached through the object.
        """
        return self if self.allow is None else replace(self, allow=None)

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
    return name in WRITING_METHODS and isinstance(target, CONTAINERS)
