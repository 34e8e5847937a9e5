"""
Connecting to a kernel on another host, where a proxy has brought the way.
"""

from __future__ import annotations

import os
import pickle
import socket
import ssl
import time
from typing import TYPE_CHECKING

from ..errors import HandshakeError, KernelGone, ProxyError, ProxyTimeout
from ..interrupts import is_of_signal_handler
from ..transport.handshake import HANDSHAKE_S
from ..transport.stream_handshake import greet_server
from ..transport.streams import DeadlinePassed, Stream
from ..transport.tls import Tls
from .channel import RECHECK_S
from .reach import CONNECT_S, Reach
from .stream_channel import StreamChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .other_hosts import Way

__all__ = ["connect_far"]


#: What is known of direct ways, where there is a relay.
_reaches: dict[Way, Reach] = {}


def connect_far(
    ways: Sequence[Way],
    secret: bytes,
    client: str,
    thread: int,
    within_s: float | None = None,
) -> StreamChannel:
    """
    Connect to a kernel on another host.

    Where a relay is among the ways, a direct way has `HEAD_START_S` seconds.

    Args:
        ways: The ways to it; those of the newest proxy come first.
        secret: The secret that both sides must prove to have.
        client: The id of this process.
        thread: The number of the calling thread within this process.
        within_s: Seconds to wait, if less than the usual limit of a handshake.

    Raises:
        KernelGone: It cannot be reached.
        HandshakeError: It lacks the secret, or refused.
        ProxyTimeout: It did not answer in time.
    """
    first_error: ProxyError | None = None
    is_relayed = any(way.relay for way in ways)
    # A name that was shared again has another way than before. Relays come last: a
    # channel through one is left as soon as any direct way is open.
    for way in sorted(ways, key=lambda each: bool(each.relay)):
        reach = None
        if is_relayed and not way.relay:
            reach = _reaches.setdefault(way, Reach(way))
            if not reach.wait():
                continue
        try:
            channel = _connect(way, secret, client, thread, within_s)
        except (KernelGone, HandshakeError) as error:
            first_error = first_error or error
            if reach is not None:
                reach.fail()
            continue
        if way.relay:
            channel.reaches = tuple(_reaches[w] for w in ways if w in _reaches)
        return channel
    assert first_error is not None  # a relay was tried
    raise first_error


def _connect(
    way: Way, secret: bytes, client: str, thread: int, within_s: float | None
) -> StreamChannel:
    patience_s = HANDSHAKE_S if within_s is None else min(within_s, HANDSHAKE_S)
    deadline = time.monotonic() + patience_s
    try:
        if way.relay:
            end = pickle.loads(way.relay)()
        else:
            limit_s = min(CONNECT_S, max(patience_s, 0.001))
            end = socket.create_connection((way.host, way.port), limit_s)
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
        stream.recheck_s = RECHECK_S
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


if hasattr(os, "register_at_fork"):
    # Another thread may have been trying at the fork.
    os.register_at_fork(after_in_child=_reaches.clear)
