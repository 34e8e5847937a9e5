"""
Requests of workers as live calls, for engines that carry no requests themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client.other_hosts import host_mark
from ..client.proxy import make_proxy
from ..client.registry import link_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..client.link import Link
    from ..server.server import ProxyServer
    from .engine import Kernel

__all__ = ["Ask", "ask_by_calls", "rebuild_ask"]


class Ask:
    """
    Sends requests to a kernel. Any process may unpickle it, which contacts nobody.

    Args:
        name: The name of the kernel.
        link: The link of this process to its server.
    """

    __slots__ = ("_link", "_name")

    def __init__(self, name: str, link: Link) -> None:
        self._name = name
        self._link = link

    def __call__(self, request: bytes) -> bytes:
        """
        Send a request and return its answer.

        Raises:
            KernelGone: The kernel has ended, or cannot be reached from here.
            ProxyTimeout: The kernel does not answer.
        """
        answer: bytes = self._link.desk("engine", self._name, request)
        return answer

    def __reduce__(self) -> tuple[Any, ...]:
        link = self._link
        ways = tuple(map(tuple, link.ways))
        where = link.address, link.secret, link.mark or host_mark(), ways
        return rebuild_ask, (self._name, *where)


def rebuild_ask(
    name: str, address: str, secret: bytes, mark: str, ways: Sequence[tuple[Any, ...]]
) -> Ask:
    """
    Make an `Ask` from its pickle.

    Args:
        name: The name of the kernel.
        address: As for `Link`.
        secret: As for `Link`.
        mark: The mark of the kernel's host.
        ways: Where it listens for other hosts, as the fields of `Way`.
    """
    link = link_to(address, secret, make_proxy)
    if link.server is None:
        link.come_from(mark, ways)
    return Ask(name, link)


def ask_by_calls(server: ProxyServer, kernel: Kernel) -> Ask:
    """
    Let workers send requests to a kernel by live calls, and return how they do.

    Args:
        server: The server of the kernel.
        kernel: Answers them.
    """
    server.desk.engines[kernel.name] = kernel
    return Ask(kernel.name, server.link)
