"""
detach(proxy): close a proxy, whatever names its object has.
"""

from __future__ import annotations

from typing import Any

from .proxy import Proxy
from .validation import require_proxy

__all__ = ["detach"]


def detach(proxy: Any) -> None:
    """
    Close a proxy in this process. Repeated calls do nothing.

    The object stays as it is and stays shared. Every later use of the proxy raises
    `ProxyClosed`. The proxy's own ``close()`` does the same if the object has no
    ``close``; otherwise ``proxy.close()`` closes the object.

    Args:
        proxy: A proxy.

    Raises:
        NotShareable: It is not a proxy.
    """
    require_proxy(proxy, "detach")
    Proxy.close(proxy)
