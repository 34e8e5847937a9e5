"""
TLS in memory: what is sent becomes records, and records become what was received.

The socket stays an ordinary one. So a thread can wait for it while another thread
sends, which is not safe on one `ssl.SSLSocket`.
"""

from __future__ import annotations

import ssl
import threading
from typing import Any

__all__ = ["Tls"]


class Tls:
    """
    One side of a connection. Any thread may call it.

    Args:
        context: The certificates of this side.
        server_side: Whether the other side has connected to this one.
    """

    def __init__(self, context: ssl.SSLContext, *, server_side: bool) -> None:
        self._received = ssl.MemoryBIO()
        self._to_send = ssl.MemoryBIO()
        self._records = context.wrap_bio(
            self._received, self._to_send, server_side=server_side
        )
        self._lock = threading.Lock()

    def shake_hands(self) -> tuple[bool, bytes]:
        """
        Continue the handshake.

        Returns:
            Whether it is complete, and what is to be sent.

        Raises:
            ssl.SSLError: A certificate was not accepted, or it is no TLS.
        """
        with self._lock:
            try:
                self._records.do_handshake()
            except ssl.SSLWantReadError:
                return False, self._to_send.read()
            return True, self._to_send.read()

    def feed(self, data: bytes) -> None:
        """
        Take what has arrived at the socket.
        """
        with self._lock:
            self._received.write(data)

    def decrypt(self, size: int) -> bytes:
        """
        Return received data, or nothing if no whole record has arrived.

        Args:
            size: The largest number of bytes to return.

        Raises:
            ssl.SSLError: A record is not valid, or reports an error.
        """
        with self._lock:
            if not (self._received.pending or self._records.pending()):
                return b""  # as below, without the cost of an exception
            try:
                return self._records.read(size)
            except ssl.SSLWantReadError:
                return b""

    def encrypt(self, data: Any) -> bytes:
        """
        Return the records for some data. They must be sent in the order of these calls.
        """
        view = memoryview(data)
        with self._lock:
            while view:
                view = view[self._records.write(view) :]
            return self._to_send.read()
