"""
What may be done through a proxy, and the errors for what may not.

A policy guards against mistakes. Every worker that has the server's secret runs as the
same user and can do what the user can.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import AccessDenied, NotShareable
from ..protocol.special_methods import BY_HAND, DESCRIBING, SPECIAL_NAMES
from .harmless.registry import FRESH_ITERATORS, is_harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..stats.rows import Mode

__all__ = [
    "DEFAULT_BUFSIZE",
    "DEFAULT_MAX_CHAIN",
    "DEFAULT_MAX_MESSAGE",
    "Policy",
    "check_allow",
    "check_bufsize",
    "check_max_chain",
    "checked_policy",
]

DEFAULT_BUFSIZE = 4096
DEFAULT_MAX_CHAIN = 7
DEFAULT_MAX_MESSAGE = 2**31
#: The longest of the server's own control words takes this many bytes.
LEAST_BUFSIZE = 64
MOST_BUFSIZE = 2**30
MOST_CHAIN = 1000
SPECIALS = (
    frozenset(SPECIAL_NAMES)
    | DESCRIBING
    | BY_HAND
    | {"__delattr__", "__str__", "__copy__", "__deepcopy__"}
)
#: Ways in and out, which no list of names need hold.
ALWAYS = DESCRIBING | {"__dir__", "__hash__", "__bool__", "__eq__", "__ne__"}
#: How an object is printed, whatever it is shared with.
PRINTING = frozenset({"__str__", "__format__"})
#: What takes the items of an iterator.
ITERATING = frozenset({"__iter__", "__next__"})
#: The name opens the other one: to enter is to leave, and a loop takes the items.
OPENED_BY = {
    **{"__exit__": "__enter__", "__aexit__": "__aenter__"},
    **{"__next__": "__iter__", "__anext__": "__aiter__"},
}
#: Calls whose iterator is made for the caller, as steps of a path.
FRESH_STEPS = frozenset(f".{name}()" for name in FRESH_ITERATORS)


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
    #: Of an object that is read-only, names that may be used though they are not known
    #: to change nothing, also of what is reached through it. Else the only names that
    #: may be used, of the object itself and not of what its methods return. Or None.
    allow: frozenset[str] | None = None
    #: The object itself will not change.
    frozen: bool = False
    #: The name was given, and is not that of the object's type.
    is_named: bool = True
    #: An iterator that was made for the caller, who may take its items.
    is_fresh: bool = False
    #: What it was shared with, but for what may be used: ``%share df --bufsize 400``.
    line: str = field(default="", compare=False)

    @cached_property
    def is_open(self) -> bool:
        """
        Nothing but the fixed list of special names needs checking.
        """
        return self.allow is None and not self.readonly

    @cached_property
    def only(self) -> frozenset[str] | None:
        """
        The only names that may be used, or None.
        """
        return None if self.readonly else self.allow

    @cached_property
    def command(self) -> str:
        """
        The line that shares the object, and opens all of it.
        """
        return self.line or f"%share {self.name}"

    @cached_property
    def mode(self) -> Mode:
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
        allow = self.allow if self.readonly else None
        if allow is self.allow and not self.frozen and not self.is_fresh:
            return self
        return replace(self, allow=allow, frozen=False, is_fresh=False)

    def after(self, step: str) -> Policy:
        """
        Give the settings of what a step such as ``".items()"`` leads to.
        """
        if self.readonly and step in FRESH_STEPS:
            return replace(self.for_results, is_fresh=True)
        return self.for_results

    def opens(self, name: str) -> bool:
        """
        Tell whether a name may be used whatever it does.
        """
        if name in PRINTING:
            return True
        if self.allow is None:
            return not self.readonly
        if name in self.allow or OPENED_BY.get(name) in self.allow:
            return True
        return not self.readonly and name in ALWAYS

    def check(self, target: Any, name: str, *, writes: bool = False) -> None:
        """
        Refuse what may not be done.

        Args:
            target: The object.
            name: The method that is to be called, or the attribute.
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
        if self.is_open or self.opens(name):
            return
        if not self.readonly:
            line = self.line_with(name)
            raise AccessDenied(
                f"{name!r} of {self.name} is not among the names that it is shared "
                f"with (allow: {', '.join(sorted(self.allow or ())) or 'none'}). To "
                f"open it: {line}",
                opened_by=line,
            )
        if writes:
            raise self.refusal(name, f"setting {name!r} would change it")
        if self.is_fresh and name in ITERATING:
            return
        if not is_harmless(target, name):
            raise self.unknown(target, name)

    def unknown(self, target: Any, name: str) -> AccessDenied:
        """
        Make the error for a method that may change what is read-only.
        """
        kind = type(target).__name__
        return self.refusal(
            name, f"{name!r} of a {kind} is not known to leave it unchanged"
        )

    def refusal(self, name: str, why: str) -> AccessDenied:
        """
        Make the error for what would change an object that is read-only.

        Args:
            name: What opens it.
            why: What is refused.
        """
        line = self.line_with(name)
        return AccessDenied(
            f"{self.name} is shared read-only, and {why}. To open it and nothing else: "
            f"{line}; to open all of it, share it without --readonly: "
            f"{self.command}",
            opened_by=line,
        )

    def line_with(self, name: str) -> str:
        """
        Give the line that opens one more name, and leaves the rest as it is.
        """
        return self._whole_line(self.command, {*(self.allow or ()), name})

    @property
    def line_with_longer_chains(self) -> str:
        """
        The line that allows longer chains, and leaves the rest as it is.

        It is empty where they are as long as they may be.
        """
        # Twice as long: one step more may not be enough.
        longer = min(2 * self.max_chain + 1, MOST_CHAIN)
        if longer <= self.max_chain:
            return ""
        command = re.sub(r" --max-chain \d+", "", self.command)
        return self._whole_line(f"{command} --max-chain {longer}", self.allow)

    def _whole_line(self, command: str, allow: Iterable[str] | None) -> str:
        line = f"{command} --readonly" if self.readonly else command
        return line if allow is None else f"{line} --allow {','.join(sorted(allow))}"


def checked_policy(
    name: str,
    bufsize: int,
    max_chain: int,
    readonly: bool,
    allow: Iterable[str] | None,
    frozen: bool,
    is_named: bool,
    line: str,
) -> Policy:
    """
    Make the settings of an object; the arguments are those of `Policy`.

    Raises:
        NotShareable: A setting cannot be.
    """
    check_bufsize(bufsize)
    check_max_chain(max_chain)
    check_allow(allow)
    names = None if allow is None else frozenset(allow)
    settings = name, bufsize, max_chain, readonly, names, frozen, is_named
    return Policy(*settings, line=line)


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
            "allow must be a list of names, such as ['predict', 'score'], not "
            f"{allow!r}."
        )


def check_bufsize(bufsize: Any) -> None:
    """
    Refuse a size that no buffer can have.

    Raises:
        NotShareable: It is no whole number, or out of bounds.
    """
    if type(bufsize) is not int or not LEAST_BUFSIZE <= bufsize <= MOST_BUFSIZE:
        raise NotShareable(
            f"bufsize must be a whole number of bytes from {LEAST_BUFSIZE} to "
            f"{MOST_BUFSIZE:,}, not {bufsize!r}."
        )


def check_max_chain(max_chain: Any) -> None:
    """
    Refuse a level that no proxy can have.

    Raises:
        NotShareable: It is no whole number, or negative.
    """
    if type(max_chain) is not int or not 0 <= max_chain <= MOST_CHAIN:
        raise NotShareable(
            "max_chain must be a whole number from 0, which allows no chained "
            f"proxies, to {MOST_CHAIN}, not {max_chain!r}."
        )
