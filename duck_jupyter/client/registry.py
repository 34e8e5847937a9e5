"""
The links of this process, one for each server, and their state after a fork.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .link import Link

if TYPE_CHECKING:
    from .local_server import LocalServer
    from .requests import MakeProxy

__all__ = ["end_here", "expression_for", "link_here", "link_to", "waited_here"]

#: Changed in single steps and without a lock: a signal handler or a destructor may run
#: this code in the middle of another call.
_links: dict[str, Link] = {}


def link_to(address: str, secret: bytes, make_proxy: MakeProxy) -> Link:
    """
    Return this process's link to the server at an address.

    Args:
        address: The address of the server.
        secret: As for `Link`.
        make_proxy: As for `Link`.
    """
    link = _links.get(address)
    if link is None:
        # A worker may connect to many kernels in its life.
        for other in list(_links.values()):
            if other.close_if_ended():
                _links.pop(other.address, None)
        link = _links.setdefault(address, Link(address, secret, make_proxy))
    return link


def link_here(
    address: str, secret: bytes, make_proxy: MakeProxy, server: LocalServer
) -> Link:
    """
    Make the link of a server's own process.
    """
    link = _links[address] = Link(address, secret, make_proxy, server)
    return link


def end_here(link: Link) -> None:
    """
    Note that the server of this process was closed.
    """
    _links.pop(link.address, None)
    link.server = None
    link.ended = True


def expression_for(target: Any) -> str:
    """
    Return the expression for the proxy of an object of this process, or "".
    """
    for link in list(_links.values()):
        if link.server is not None and (found := link.server.local_expression(target)):
            return found
    return ""


def waited_here() -> float:
    """
    Give the seconds that this thread has waited in calls of proxies that have ended.
    """
    return sum(link.waited_here() for link in list(_links.values()))


def _after_fork_in_child() -> None:
    for link in _links.values():
        link.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
