"""
What may be shared, under which names and on what terms.
"""

from __future__ import annotations

import difflib
import keyword
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import NotShareable
from ..objects.policy import check_bufsize, check_max_chain
from ..proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from ..proxy import ProxyServer

__all__ = [
    "Source",
    "Terms",
    "Unshareable",
    "check_alias",
    "check_name",
    "check_object",
    "close_to",
    "is_proxy",
    "is_shareable",
]


@dataclass(frozen=True)
class Terms:
    """
    The settings that a name is shared with; None is the server's own.

    Args:
        bufsize: Bytes of the buffer that its calls get.
        readonly: Workers may not change the object.
        allow: The only names that workers may use, or None; where it is read-only,
            names that they may use as well.
        max_chain: The highest level of a proxy reached through this one.
        frozen: The object will not change, so it is never compared.
        inplace: The object is moved to shared memory, where all see every write.
        handover: The object itself may be passed to pools, which send a handle.
    """

    bufsize: int | None = None
    readonly: bool = False
    allow: frozenset[str] | None = None
    max_chain: int | None = None
    frozen: bool = False
    inplace: bool = False
    handover: bool = True

    def check(self) -> None:
        """
        Refuse what cannot be.

        Raises:
            NotShareable: A setting is out of bounds, or a name is no name.
        """
        if self.bufsize is not None:
            check_bufsize(self.bufsize)
        if self.max_chain is not None:
            check_max_chain(self.max_chain)
        if self.frozen and self.inplace:
            raise NotShareable(
                "An object is shared either frozen, which promises that it will not "
                "change, or in place, so that everyone sees its changes: choose one."
            )
        wrong = sorted(name for name in self.allow or () if not name.isidentifier())
        if wrong:
            raise NotShareable(
                f"{wrong[0]!r} cannot be allowed: it is not the name of an attribute "
                "or method. Names are separated by commas, such as append,pop."
            )

    def filled_in(self, server: ProxyServer) -> Terms:
        """
        Give the terms with the server's own settings in place of None.
        """
        return replace(
            self,
            bufsize=server.bufsize if self.bufsize is None else self.bufsize,
            max_chain=server.max_chain if self.max_chain is None else self.max_chain,
        )

    def added_to(self, before: Iterable[Terms | None]) -> Terms:
        """
        Give the terms for names that are shared already.

        Where all of them are read-only, names that are allowed are so as well: what
        could be read before is not refused.

        Args:
            before: The terms of each name, or None where it is not shared.
        """
        if self.allow is None or not all(old and old.readonly for old in before):
            return self
        return replace(self, readonly=True)

    def line(self, name: str, source: Source | None, server: ProxyServer) -> str:
        """
        Give the ``%share`` that has these terms, but for what may be used.
        """
        # %share takes an alias as well, unless a variable is called so.
        variable = name
        if source is not None and name in source.namespace:
            variable = source.variable
        options = {
            f"--as {name}": variable != name,
            f"--bufsize {self.bufsize}": self.bufsize not in (None, server.bufsize),
            f"--max-chain {self.max_chain}": (
                self.max_chain not in (None, server.max_chain)
            ),
            "--frozen": self.frozen,
            "--inplace": self.inplace,
            "--no-handover": not self.handover,
        }
        given = [option for option, is_given in options.items() if is_given]
        return " ".join(["%share", variable, *given])


@dataclass(frozen=True, eq=False)
class Source:
    """
    The variable that a shared name follows.
    """

    namespace: MutableMapping[str, Any]
    variable: str


def check_name(name: Any) -> None:
    """
    Refuse a name that nothing can be shared under.

    Raises:
        NotShareable: It is empty, cannot be printed, or begins with an underscore.
    """
    if not isinstance(name, str) or not name.isprintable() or not name.strip():
        raise NotShareable(f"{name!r} cannot be a shared name: it is not a word.")
    if name.startswith("_"):
        raise NotShareable(
            f"{name!r} cannot be a shared name: names that begin with an underscore "
            "are Python's own. Give another one: %share NAME --as ALIAS, "
            "share(obj, name='ALIAS')."
        )


def check_alias(name: str) -> None:
    """
    Refuse a name that cannot be written as ``shared.NAME``.

    Raises:
        NotShareable: It is no identifier.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise NotShareable(
            "An alias must be a name that can be written as shared.NAME: letters, "
            f"digits and underscores, and no keyword of Python, not {name!r}."
        )
    check_name(name)


class Unshareable:
    """
    What belongs to one process.
    """

    __slots__ = ()


def is_proxy(value: Any) -> bool:
    """
    Tell whether a value is a proxy, without asking the value.
    """
    return issubclass(type(value), Proxy)


def is_shareable(value: Any) -> bool:
    """
    Tell whether a value is of a kind that can be shared.
    """
    # Not isinstance(): that may run code of the object.
    return not issubclass(type(value), (ModuleType, Proxy, Unshareable))


def check_object(value: Any, word: str) -> None:
    """
    Refuse what cannot be shared.

    Args:
        value: The object.
        word: What it is called.

    Raises:
        NotShareable: It is a module, a proxy, or ``shared`` itself.
    """
    if is_shareable(value):
        return
    if is_proxy(value):
        raise NotShareable(
            f"{word} is a proxy already ({value!r}): give it to workers as it is."
        )
    if issubclass(type(value), Unshareable):
        raise NotShareable(
            f"{word} is this process's own list of shared names: give workers the "
            "proxies in it, such as shared.NAME."
        )
    raise NotShareable(
        f"{word} is a module, and modules are not shared: import it in the worker."
    )


def close_to(name: str, known: Iterable[str]) -> str:
    """
    Return " Did you mean X?" for a mistyped name, or "".
    """
    close = difflib.get_close_matches(name, list(known), n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""
