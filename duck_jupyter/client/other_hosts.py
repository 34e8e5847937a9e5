"""
Proxies that arrive on another host than their kernel's, as in a task of a cluster.
"""

from __future__ import annotations

import functools
import hashlib
import sys

from ..data.handles import this_machine
from ..errors import HandshakeError
from ..memory.process_state import pid_namespace

__all__ = ["host_mark", "mark_for_clusters", "on_other_host"]


@functools.lru_cache(maxsize=1)
def host_mark() -> str:
    """
    Return a short text that differs between hosts, and between containers of one.
    """
    host = f"{this_machine()}/{pid_namespace()}"
    return hashlib.blake2b(host.encode(), digest_size=4).hexdigest()


def mark_for_clusters() -> tuple[str, ...]:
    """
    Return the mark of this host for a pickle that a cluster may take to another one.
    """
    return (host_mark(),) if "distributed" in sys.modules else ()


def on_other_host(name: str) -> HandshakeError:
    """
    Return the error of a proxy that cannot reach its kernel from here.

    Args:
        name: The kernel in messages.
    """
    return HandshakeError(
        f"{name} is on another host, and the calls of a proxy work on the kernel's own "
        "host only. Pass the task the object itself: share(obj, name, on=client), then "
        "client.submit(f, obj)."
    )
