"""
The link of a chained proxy that came in a pickle, until the proxy is used.

Unpickling a proxy contacts no server, because a scheduler or a broker unpickles what it
only passes on. So the server learns of the new holder at the first use.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from .thread_state import ARRIVED

if TYPE_CHECKING:
    from .link import Link

__all__ = ["Unadopted", "settled"]

_own = object.__getattribute__
_set_own = object.__setattr__


class Unadopted:
    """
    Stands in a proxy for its link; the first use replaces it by the link itself.

    Until then the server keeps the object because its pickle is on its way.

    Args:
        link: The link.
        proxy: The proxy.
        idx: The number of its object.
    """

    __slots__ = ("_idx", "_proxy", "address", "link", "secret")

    #: The proxy was unpickled in another process than the server's.
    server: None = None

    def __init__(self, link: Link, proxy: Any, idx: int) -> None:
        self.link: Link = link
        self.address: str = link.address
        self.secret: bytes = link.secret
        self._proxy = weakref.ref(proxy)
        self._idx = idx

    def adopt(self) -> Any:
        """
        Tell the server that this process holds the object, and return the link.

        Raises:
            KernelGone: The server ended.
            ProxyObjectNotFound: The object was removed.
        """
        link, proxy = self.link, self._proxy()
        if proxy is None:
            return link
        now = _own(proxy, "_duck_link")
        if now is not self:
            return now  # another thread was faster, or has closed the proxy
        link.desk("adopt", self._idx)
        # If two threads, or a signal handler, come here at once, the server counts two
        # references, and the end of the proxy releases both.
        link.held.add(proxy, self._idx, ARRIVED)
        link.hold()
        _set_own(proxy, "_duck_link", link)
        return link

    def summary(self, idx: int, within_s: float) -> tuple[str, str] | None:
        """
        Do what `Link.summary` does: a display is no use of the object.
        """
        return self.link.summary(idx, within_s)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.adopt(), name)


def settled(link: Any) -> Any:
    """
    Return the link itself of a proxy, adopted or not.
    """
    return link.link if type(link) is Unadopted else link
