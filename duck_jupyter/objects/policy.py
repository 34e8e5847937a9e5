"""
The policy of a shared object, and the errors for refused operations.

A policy prevents mistakes. It does not protect against attacks: every worker that has
the server's secret runs as the same user and can do what the user can.
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
#: The longest request to the server itself takes this many bytes.
LEAST_BUFSIZE = 64
MOST_BUFSIZE = 2**30
MOST_CHAIN = 1000
SPECIALS = (
    frozenset(SPECIAL_NAMES)
    | DESCRIBING
    | BY_HAND
    | {"__delattr__", "__str__", "__copy__", "__deepcopy__"}
)
#: Special methods that are always allowed.
ALWAYS = DESCRIBING | {"__dir__", "__hash__", "__bool__", "__eq__", "__ne__"}
#: Special methods that print an object; all settings allow them.
PRINTING = frozenset({"__str__", "__format__"})
#: Special methods that take the items of an iterator.
ITERATING = frozenset({"__iter__", "__next__"})
#: The key is allowed with its value: entering includes leaving, and a loop takes items.
OPENED_BY = {
    **{"__exit__": "__enter__", "__aexit__": "__aenter__"},
    **{"__next__": "__iter__", "__anext__": "__aiter__"},
}
#: Calls whose iterator belongs to the caller, as steps of a path.
FRESH_STEPS = frozenset(f".{name}()" for name in FRESH_ITERATORS)


@dataclass(frozen=True)
class Policy:
    """
    The settings of one shared object, and of all objects reached through it.
    """

    #: The shared name.
    name: str
    #: In bytes; a larger frame is sent outside the buffer.
    bufsize: int
    max_chain: int = DEFAULT_MAX_CHAIN
    readonly: bool = False
    #: For a read-only object: names that are allowed although they may change it, also
    #: on objects reached through it. Otherwise: the only names that are allowed, for
    #: the object itself and not for results of its methods. Or None.
    allow: frozenset[str] | None = None
    #: The object itself will not change.
    frozen: bool = False
    #: The name was given by the user, and is not the name of the object's type.
    is_named: bool = True
    #: An iterator that belongs to the caller, who may take its items.
    is_fresh: bool = False
    #: The line of the settings, without its access options: ``%share df --bufsize
    #: 400``.
    line: str = field(default="", compare=False)

    @cached_property
    def is_open(self) -> bool:
        """
        Whether only the fixed list of special names needs checking.
        """
        return self.allow is None and not self.readonly

    @cached_property
    def only(self) -> frozenset[str] | None:
        """
        The only names that are allowed, or None.
        """
        return None if self.readonly else self.allow

    @cached_property
    def command(self) -> str:
        """
        The line that shares the object with all names allowed.
        """
        return self.line or f"%share {self.name}"

    @cached_property
    def mode(self) -> Mode:
        """
        The access that workers have, in one word.
        """
        if self.frozen:
            return "frozen"
        return "read-only" if self.readonly else "live"

    @cached_property
    def for_results(self) -> Policy:
        """
        The settings of objects that are reached through the object.
        """
        allow = self.allow if self.readonly else None
        if allow is self.allow and not self.frozen and not self.is_fresh:
            return self
        return replace(self, allow=allow, frozen=False, is_fresh=False)

    def after(self, step: str) -> Policy:
        """
        Return the settings of the object after a step such as ``".items()"``.
        """
        if self.readonly and step in FRESH_STEPS:
            return replace(self.for_results, is_fresh=True)
        return self.for_results

    def opens(self, name: str) -> bool:
        """
        Return whether a name is allowed regardless of its effect.
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
        Refuse operations that the policy forbids.

        Args:
            target: The object.
            name: The method to call, or the attribute.
            writes: Whether the attribute is set.

        Raises:
            AccessDenied: The operation is forbidden.
        """
        if name[:2] == "__" and name not in SPECIALS:
            raise AccessDenied(
                f"{name!r} of {self.name} cannot be used through a proxy. Of the names "
                "with two underscores, a proxy has only the special methods that "
                "Python itself calls, and no setting allows others."
            )
        if self.is_open or self.opens(name):
            return
        if not self.readonly:
            line = self.line_with(name)
            raise AccessDenied(
                f"{name!r} of {self.name} is not one of the allowed names "
                f"({', '.join(sorted(self.allow or ())) or 'none'}). To allow it: "
                f"{line}",
                opened_by=line,
                lifted_by=self.command,
            )
        if writes:
            raise self.refusal(name, f"setting {name!r} would change it")
        if self.is_fresh and name in ITERATING:
            return
        if not is_harmless(target, name):
            raise self.unknown(target, name)

    def unknown(self, target: Any, name: str) -> AccessDenied:
        """
        Make the error for a method that may change a read-only object.
        """
        kind = type(target).__name__
        return self.refusal(name, f"{name!r} of a {kind} may change it")

    def refusal(self, name: str, why: str) -> AccessDenied:
        """
        Make the error for an operation that would change a read-only object.

        Args:
            name: The name to allow.
            why: The reason for the refusal.
        """
        line = self.line_with(name)
        return AccessDenied(
            f"{self.name} is shared read-only, and {why}. To allow this one name: "
            f"{line}; to allow all changes, share it without --readonly: "
            f"{self.command}",
            opened_by=line,
            lifted_by=self.command,
        )

    def line_with(self, name: str) -> str:
        """
        Return the line that allows one more name and keeps the other settings.
        """
        return self._whole_line(self.command, {*(self.allow or ()), name})

    @property
    def line_with_longer_chains(self) -> str:
        """
        The line that allows longer chains and keeps the other settings.

        It is empty if the limit is already the highest.
        """
        # Twice as long, because one more step may not be enough.
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
        NotShareable: A setting is out of range.
    """
    check_bufsize(bufsize)
    check_max_chain(max_chain)
    check_allow(allow)
    names = None if allow is None else frozenset(allow)
    settings = name, bufsize, max_chain, readonly, names, frozen, is_named
    return Policy(*settings, line=line)


def check_allow(allow: Any) -> None:
    """
    Require a list of names.

    Raises:
        NotShareable: It is one string, or holds items that are not strings.
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
    Require a valid buffer size.

    Raises:
        NotShareable: It is not an integer, or out of range.
    """
    if type(bufsize) is not int or not LEAST_BUFSIZE <= bufsize <= MOST_BUFSIZE:
        raise NotShareable(
            f"bufsize must be an integer from {LEAST_BUFSIZE} to {MOST_BUFSIZE:,}, not "
            f"{bufsize!r}."
        )


def check_max_chain(max_chain: Any) -> None:
    """
    Require a valid level.

    Raises:
        NotShareable: It is not an integer, or out of range.
    """
    if type(max_chain) is not int or not 0 <= max_chain <= MOST_CHAIN:
        raise NotShareable(
            f"max_chain must be an integer from 0 to {MOST_CHAIN}, not {max_chain!r}; "
            "0 allows no chained proxies."
        )
