"""
Connecting to a kernel on another host, where a proxy has brought the way.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import ssl
import time
from typing import TYPE_CHECKING

from ..errors import HandshakeError, KernelGone, ProxyTimeout
from ..interrupts import is_of_signal_handler
from ..transport.handshake import HANDSHAKE_S
from ..transport.stream_handshake import greet_server
from ..transport.streams import DeadlinePassed, Stream
from ..transport.tls import Tls
from .stream_channel import StreamChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .other_hosts import Way

__all__ = ["CONNECT_S", "connect_far"]

#: Seconds in which the system of the kernel's host accepts a connection.
CONNECT_S = 2.0


def connect_far(
    ways: Sequence[Way],
    secret: bytes,
    client: str,
    thread: int,
    within_s: float | None = None,
) -> StreamChannel:
    """
    Connect to a kernel on another host.

    Args:
        ways: The ways to it, the best first.
        secret: The secret that both sides must prove to have.
        client: The id of this process.
        thread: The number of the calling thread within this process.
        within_s: Seconds to wait, if less than the usual limit of a handshake.

    Raises:
        KernelGone: It cannot be reached.
        HandshakeError: It lacks the secret, or refused.
        ProxyTimeout: It did not answer in time.
    """
    first, *others = ways
    try:
        return _connect(first, secret, client, thread, within_s)
    except (KernelGone, HandshakeError):
        # A name that was shared again has another way than before.
        for way in others:
            with contextlib.suppress(KernelGone, HandshakeError):
                return _connect(way, secret, client, thread, within_s)
        raise


def _connect(
    way: Way, secret: bytes, client: str, thread: int, within_s: float | None
) -> StreamChannel:
    patience_s = HANDSHAKE_S if within_s is None else min(within_s, HANDSHAKE_S)
    deadline = time.monotonic() + patience_s
    try:
        end = socket.create_connection(
            (way.host, way.port), min(CONNECT_S, max(patience_s, 0.001))
        )
    except OSError as error:
        if is_of_signal_handler(error):
            raise
        raise KernelGone(
            f"{way.server} cannot be reached from this host ({error}). It has ended, "
            "or its names were unshared, or a firewall is between. Share the object "
            "again and pass the new proxy."
        ) from error
    try:
        stream = Stream(end)
        stream.deadline = deadline
        if way.context:
            stream.secure(Tls(pickle.loads(way.context)(), server_side=False))
        max_message = greet_server(stream, secret, client, thread)
        return StreamChannel(stream, way.server, max_message)
    except HandshakeError:
        end.close()
        raise
    except DeadlinePassed:
        end.close()
        raise ProxyTimeout(
            f"{way.server} did not accept this worker's connection within "
            f"{patience_s:g} s: it is stopped, or it runs code that holds the "
            "interpreter's lock. Try again later."
        ) from None
    except (ssl.SSLError, ValueError) as error:
        end.close()
        if is_of_signal_handler(error):
            raise
        raise HandshakeError(
            f"{way.server} and this worker do not accept each other "
            f"({type(error).__name__}: {error}). The certificates of both must be of "
            "the cluster, and the kernel must be the one that gave out the proxy."
        ) from error
    except (OSError, EOFError) as error:
        end.close()
        if is_of_signal_handler(error):
            raise
        raise KernelGone(
            f"{way.server} disconnected before it accepted this worker "
            f"({type(error).__name__}: {error}). Share the object again and pass the "
            "new proxy."
        ) from error
    except BaseException:
        end.close()
        raise
