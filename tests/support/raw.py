"""
A client that keeps no rules: it is let in, and then writes into its lane what it likes.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Decoder, Ext, encode

from duck_jupyter.client.link import Link
from duck_jupyter.client.proxy import Proxy, make_proxy, rooted_proxy
from duck_jupyter.protocol.faults import FAULT, parse_fault
from duck_jupyter.transport.lanes import (
    BELL,
    LENGTH,
    PHASE,
    POSTED,
    REPLIED,
    STATE,
    WAITING,
    Lane,
)
from duck_jupyter.transport.rendezvous import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duck_jupyter.proxy import ProxyServer

DEADLINE_S = 10.0


@contextmanager
def far(proxy: Proxy) -> Iterator[Any]:
    """
    Give a proxy of the same object that goes through a lane, as in a worker.

    It has a link of its own, which is closed at the end.
    """
    near = proxy._duck_link
    link = Link(near.address, near.secret, make_proxy)
    try:
        yield rooted_proxy(link, proxy._duck_ref, proxy._duck_block_name)
    finally:
        link._releaser.stop()
        for channel in list(link._channels):
            channel.close()
        # Whoever still has the proxy must not keep the lane mapped.
        link._start()


class RawClient:
    """
    One lane to a server, and the words in it at the test's disposal.

    Args:
        server: A running server.
        lane: A lane to it; one is made otherwise.
    """

    def __init__(self, server: ProxyServer, lane: Lane | None = None) -> None:
        link = server.link
        self.lane = lane or connect(link.address, link.secret, "raw", 1)
        self.lane.introduce()
        self.words = self.lane.words
        self._sequence = 0
        self._poll = poll()
        self._poll.register(self.lane.doorbell, POLLIN)

    def lay(self, data: bytes, length: int | None = None) -> None:
        """
        Write bytes into the buffer, and a length that need not be theirs.
        """
        framed = len(data).to_bytes(4, "big") + data
        self.lane.map[: len(framed)] = framed
        self.words[LENGTH] = len(data) if length is None else length

    def lay_table(self, table: bytes, length: int, size: int | None = None) -> None:
        """
        Write a table of sizes for a message that lies beside the buffer.
        """
        shown = len(table) if size is None else size
        framed = shown.to_bytes(4, "big") + table
        self.lane.map[: len(framed)] = framed
        self.words[LENGTH] = length

    def send_descriptors(self, fds: Sequence[int]) -> None:
        """
        Pass descriptors through the doorbell, which nobody asked for.
        """
        socket.send_fds(self.lane.doorbell, [BELL], list(fds))

    def post(self, *, ring: bool = True) -> None:
        """
        Say that a request lies in the buffer.

        Args:
            ring: Wake the server.
        """
        self._sequence += 4
        self.words[WAITING] = 1
        self.words[STATE] = self._sequence | POSTED
        if ring:
            self.lane.ring()

    def wait(self) -> Any:
        """
        Wait for the answer, and give its value.

        Raises:
            BaseException: The error in the answer.
            EOFError: The server closed the lane.
            TimeoutError: There is none.
        """
        while self.words[STATE] & PHASE != REPLIED:
            if not self._poll.poll(DEADLINE_S * 1000):
                raise TimeoutError(f"no answer within {DEADLINE_S} s")
            if not self.lane.hear() and self.words[STATE] & PHASE != REPLIED:
                raise EOFError("the server closed the lane")
        data, _ = self.lane.take()
        _, (_, value, error) = _decode(data)
        if error is not None:
            raise error
        return value

    def ask(self, data: bytes, length: int | None = None) -> Any:
        """
        Send bytes as a request, and give the answer's value; raises as `wait`.
        """
        self.lay(data, length)
        self.post()
        return self.wait()

    def call(self, opcode: Any, payload: Any) -> Any:
        """
        Send a frame of any shape; raises as `wait`.
        """
        return self.ask(encode([opcode, payload]))

    def close(self) -> None:
        """
        Leave without a word.
        """
        self.lane.close()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _extension(code: int, data: memoryview) -> Any:
    return parse_fault(data) if code == FAULT else Ext(code, bytes(data))


_decode = Decoder(ext_hook=_extension).decode
