"""
Proxies as they arrive on another host than their kernel's.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from duck_jupyter.client.proxy import rebuild_proxy
from duck_jupyter.errors import ProxyError
from duck_jupyter.protocol.live_tokens import live_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.client.other_hosts import Way
    from duck_jupyter.proxy import ProxyServer

__all__ = ["Elsewhere", "Thing", "error_of", "share"]


class Elsewhere:
    """
    Pickles as a proxy of a kernel on another host.

    Args:
        proxy: The proxy.
        ways: Where the kernel listens; by default as its own proxies say.
    """

    def __init__(self, proxy: Any, *ways: Way) -> None:
        link = proxy._duck_link
        _, (_, self.secret, self.state, self.block, *_) = proxy.__reduce_ex__(4)
        self.address = f"/nowhere{link.address}"
        self.ways = ways or link.ways

    #: As for proxies: equal arguments would be one task of Dask.
    __dask_tokenize__ = live_token

    def __reduce__(self) -> Any:
        where = b"", "elsewhere", tuple(map(tuple, self.ways))
        return rebuild_proxy, (
            self.address,
            self.secret,
            self.state,
            self.block,
            *where,
        )


def share(server: ProxyServer, target: Any, name: str = "x", **terms: Any) -> Elsewhere:
    """
    Share an object, and return its proxy for another host.
    """
    return Elsewhere(server.create_proxy(target, name=name, **terms))


class Thing:
    """
    An object of many kinds of calls.
    """

    def __init__(self) -> None:
        self.numbers = {"n": 0}
        self.entered: list[str] = []
        self.began = threading.Event()
        self.go_on = threading.Event()

    def __enter__(self) -> Thing:
        self.entered.append(threading.current_thread().name)
        return self

    def __exit__(self, *error: object) -> None:
        self.entered.append(threading.current_thread().name)

    def child(self) -> Thing:
        return Thing()

    def fail(self) -> None:
        raise KeyError("missing")

    def wait(self) -> str:
        self.began.set()
        assert self.go_on.wait(20.0)
        return "went on"


def error_of(call: Callable[[Any], Any], live: Any) -> tuple[type, str]:
    """
    Return the error of a call.
    """
    try:
        call(live)
    except ProxyError as error:
        return type(error), str(error)
    raise AssertionError("it returned")
