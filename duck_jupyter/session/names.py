"""
Which objects may be shared, under which names and with which settings.
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

    from ..engines.engine import Engine
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
    The settings of a shared name; None stands for the server's setting.

    Args:
        bufsize: Size in bytes of the buffer for its calls.
        readonly: Workers may not change the object.
        allow: The only names that workers may use, or None. If the object is read-only,
            workers may use these names as well.
        max_chain: The highest level of a proxy that is reached through this one.
        frozen: The object will not change, so it is never compared.
        inplace: The object is moved to shared memory, where all processes see every
            write.
        handover: If the object itself is passed to a pool, the pool sends a handle.
        on: The engine whose tasks get the object, or None.
        insecure: Whether its data may cross a network without encryption.
    """

    bufsize: int | None = None
    readonly: bool = False
    allow: frozenset[str] | None = None
    max_chain: int | None = None
    frozen: bool = False
    inplace: bool = False
    handover: bool = True
    on: Engine | None = None
    insecure: bool = False

    def check(self) -> None:
        """
        Validate the settings.

        Raises:
            NotShareable: A setting is out of range, or a name is not valid.
        """
        if self.bufsize is not None:
            check_bufsize(self.bufsize)
        if self.max_chain is not None:
            check_max_chain(self.max_chain)
        if self.frozen and self.inplace:
            raise NotShareable(
                "An object must be shared either frozen (it does not change) or in "
                "place (all processes see its changes), not both."
            )
        if self.on is not None and (self.inplace or not self.handover):
            option = "--inplace" if self.inplace else "--no-handover"
            raise NotShareable(
                f"An object must be shared either on a cluster or with {option}, not "
                "both: tasks get their own state of the object."
            )
        if self.insecure and self.on is None:
            raise NotShareable(
                "insecure must be used with on, as in %share NAME --on dask --insecure."
            )
        wrong = sorted(name for name in self.allow or () if not name.isidentifier())
        if wrong:
            raise NotShareable(
                "allow must be names of attributes or methods, separated by commas, "
                f"such as append,pop, not {wrong[0]!r}."
            )

    @property
    def option_for_data(self) -> str:
        """
        An option that needs the object's own data, as it is written, or "".
        """
        options = {
            "--on": self.on is not None,
            "--inplace": self.inplace,
            "--frozen": self.frozen,
        }
        return next((option for option, is_given in options.items() if is_given), "")

    def filled_in(self, server: ProxyServer) -> Terms:
        """
        Return the settings with the server's values in place of None.
        """
        return replace(
            self,
            bufsize=server.bufsize if self.bufsize is None else self.bufsize,
            max_chain=server.max_chain if self.max_chain is None else self.max_chain,
        )

    def added_to(self, before: Iterable[Terms | None]) -> Terms:
        """
        Return the settings for names that may already be shared.

        If all of them are read-only, they stay read-only and the allowed names are
        added. So no name that could be read before is refused.

        Args:
            before: The settings of each name, or None if it is not shared.
        """
        if self.allow is None or not all(old and old.readonly for old in before):
            return self
        return replace(self, readonly=True)

    def line(self, name: str, source: Source | None, server: ProxyServer) -> str:
        """
        Return the ``%share`` line of these settings, without its access options.
        """
        # %share accepts an alias as a name, unless a variable has that name.
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
            f"--on {self.on.word if self.on else ''}": self.on is not None,
            "--insecure": self.insecure,
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
    Require a valid shared name.

    Raises:
        NotShareable: It is empty, not printable, or begins with an underscore.
    """
    if not isinstance(name, str) or not name.isprintable() or not name.strip():
        raise NotShareable(f"A shared name must be a printable word, not {name!r}.")
    if name.startswith("_"):
        raise NotShareable(
            f"A shared name must not begin with an underscore, and {name!r} does. "
            "Choose another name: %share NAME --as ALIAS, or share(obj, name='ALIAS')."
        )


def check_alias(name: str) -> None:
    """
    Require a name that can be written as ``shared.NAME``.

    Raises:
        NotShareable: It is not an identifier.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise NotShareable(
            "An alias must be a name that can be written as shared.NAME (letters, "
            f"digits and underscores, and not a keyword of Python), not {name!r}."
        )
    check_name(name)


class Unshareable:
    """
    A base class of objects that belong to one process.
    """

    __slots__ = ()


def is_proxy(value: Any) -> bool:
    """
    Return whether a value is a proxy, by its type only.
    """
    return issubclass(type(value), Proxy)


def is_shareable(value: Any) -> bool:
    """
    Return whether a value is of a kind that can be shared.
    """
    # Not isinstance(), which may run code of the object.
    return not issubclass(type(value), (ModuleType, Proxy, Unshareable))


def check_object(value: Any, word: str) -> None:
    """
    Require an object that can be shared.

    Args:
        value: The object.
        word: Its name in messages.

    Raises:
        NotShareable: It is a module, a proxy, or ``shared`` itself.
    """
    if is_shareable(value):
        return
    if is_proxy(value):
        raise NotShareable(
            f"{word} is already a proxy ({value!r}). Pass it to workers as it is."
        )
    if issubclass(type(value), Unshareable):
        raise NotShareable(
            f"{word} is the list of shared names of this process. Pass workers the "
            "proxies in it, such as shared.NAME."
        )
    raise NotShareable(
        f"{word} is a module, and modules cannot be shared. Import it in the worker."
    )


def close_to(name: str, known: Iterable[str]) -> str:
    """
    Return " Did you mean X?" for a mistyped name, or "".
    """
    close = difflib.get_close_matches(name, list(known), n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""
