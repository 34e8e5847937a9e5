"""
detach(proxy): leave an object, whatever names it has.
"""

from __future__ import annotations

from typing import Any

from .proxy import Proxy
from .validation import require_proxy

__all__ = ["detach"]


def detach(proxy: Any) -> None:
    """
    Leave the object of a proxy in this process; nobody else notices. Twice is fine.

    The object stays as it is and stays shared. Every later use of the proxy raises
    `ProxyClosed`. This is what the proxy's own ``close()`` does where the object has no
    ``close``; where it has one, ``proxy.close()`` closes the object.

    Args:
        proxy: A proxy.

    Raises:
        NotShareable: It is no proxy.
    """
    require_proxy(proxy, "detach")
    Proxy.close(proxy)
