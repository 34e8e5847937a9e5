"""
A server that workers of other hosts can reach, with TLS and without.
"""

from __future__ import annotations

import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from distributed.security import Security

from duck_jupyter.client.other_hosts import Way
from duck_jupyter.server.stream_door import StreamDoor, open_door
from tests.support.workers import Worker

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from duck_jupyter.proxy import ProxyServer


@pytest.fixture(scope="module", params=["plain", "tls"])
def way(request: pytest.FixtureRequest) -> tuple[Any, bytes]:
    """
    Give the certificates of the server, and those of its workers in a pickle.
    """
    if request.param == "plain":
        return None, b""
    security = Security.temporary()
    listen = security.get_listen_args("client")["ssl_context"]
    names = ("tls_ca_file", "tls_worker_cert", "tls_worker_key")
    parts = {name: getattr(security, name) for name in names}
    return listen, pickle.dumps(partial(worker_context, parts))


def worker_context(parts: dict[str, str]) -> ssl.SSLContext:
    security = Security(require_encryption=True, **parts)
    found: ssl.SSLContext = security.get_connection_args("worker")["ssl_context"]
    return found


@pytest.fixture
def door(server: ProxyServer, way: tuple[Any, bytes]) -> Iterator[StreamDoor]:
    """
    Let the server listen.
    """
    listen, connect = way
    door = open_door(server, "127.0.0.1", listen)
    server.link.ways = (Way(door.host, door.port, connect),)
    yield door
    door.close()


@pytest.fixture
def far_worker(own_folders: None) -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()
