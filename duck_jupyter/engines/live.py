"""
Proxies as arguments of an engine's tasks, and `fetch` in a worker of another host.
"""

from __future__ import annotations

import os
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ..client.unadopted import settled
from ..data.attach import attach, decoded, rebuild
from .arrivals import Done, Fetch, Fetched, bring

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client.proxy import Proxy

__all__ = ["fetch_by", "load_live", "pickled_live"]

#: The random bytes before the pickle: equal arguments would be one task of Dask.
SALT_BYTES = 8

_encode = msgspec.msgpack.encode


def pickled_live(proxy: Proxy) -> bytes:
    """
    Return the data for `load_live`, which differ each time.
    """
    return os.urandom(SALT_BYTES) + pickle.dumps(proxy)


def load_live(data: bytes, ask: Callable[[bytes], bytes]) -> Any:
    """
    Return a proxy in a task, and note how its kernel is asked from another host.

    Args:
        data: The result of `pickled_live`.
        ask: Sends a request to the kernel and returns its answer.
    """
    proxy = pickle.loads(data[SALT_BYTES:])
    link = settled(proxy._duck_link)
    if link.is_elsewhere:
        link.fetch_elsewhere = partial(fetch_by, ask)
    return proxy


def fetch_by(ask: Callable[[bytes], bytes], idx: int, writable: bool) -> Any:
    """
    Return an object as it is now, on memory of this host.

    Args:
        ask: Sends a request to the kernel and returns its answer.
        idx: The number of the object.
        writable: Whether arrays may be written to; writes stay in this process.

    Raises:
        ProxyError: As for `fetch`.
    """
    fetched = msgspec.msgpack.decode(ask(_encode(Fetch(idx))), type=Fetched)
    if fetched.fault:
        raise pickle.loads(fetched.fault)
    if not fetched.token:
        return rebuild(fetched.handle, writable=writable)
    handle = decoded(fetched.handle)
    try:
        return bring(
            fetched.token, handle, ask, lambda local: attach(local, writable=writable)
        )
    finally:
        ask(_encode(Done(fetched.token)))
