"""
The live plane, for programs without a notebook: a server and its proxies.

Example::

    with ProxyServer(bufsize=200) as server:
        proxy = server.create_proxy(my_object)
        worker = multiprocessing.Process(target=work, args=(proxy,))
"""

from __future__ import annotations

from .client.attribute_names import get_callable_name, is_method_of
from .client.proxy import Proxy
from .errors import (
    DataDecodeError,
    DataEncodeError,
    DataTooBigError,
    EmptyData,
    LimitedProxyChaining,
    ProxyError,
    ProxyObjectNotFound,
)
from .protocol.manual_frames import Frame
from .protocol.opcodes import ProxyOpCode
from .server.server import ProxyServer

__all__ = [
    "DataDecodeError",
    "DataEncodeError",
    "DataTooBigError",
    "EmptyData",
    "Frame",
    "LimitedProxyChaining",
    "Proxy",
    "ProxyError",
    "ProxyObjectNotFound",
    "ProxyOpCode",
    "ProxyServer",
    "get_callable_name",
    "is_method_of",
]
