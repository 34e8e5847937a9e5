"""
The server's side of a stream: a connection of a client on another host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..stats.counts import BYTES_IN, BYTES_OUT, bucket_of
from ..transport.lanes import TOOK
from ..transport.stream_peer import StreamPeer
from .connections import LONGEST_S, Connection

if TYPE_CHECKING:
    from ..stats.worker_rows import Way

__all__ = ["StreamConnection"]

#: Seconds until a thread has received what has arrived, and the end after it.
SETTLE_S = 1.0


class StreamConnection(Connection):
    """
    A stream of a client thread; otherwise as `Connection`.

    Frames fill no buffer. Each request says how long the client has waited for the
    answer before it, so clocks of two hosts are never compared.
    """

    __slots__ = ()

    is_polled = False

    @property
    def way(self) -> Way:
        """
        How its calls reach the server.
        """
        peer = self.lane
        assert isinstance(peer, StreamPeer)
        return "relay" if peer.stream.is_relayed else "direct"

    def settle(self) -> None:
        """
        Wait until the thread of this connection has received all.
        """
        peer = self.lane
        assert isinstance(peer, StreamPeer)
        if not peer.is_busy:
            peer.is_over.wait(SETTLE_S)

    def count(
        self,
        idx: int,
        opcode: int,
        size_in: int,
        size_out: int,
        latency: float,
        state: int,
    ) -> None:
        """
        Count an answered call, as `Connection.count`.
        """
        counts = self.counts.get(idx) or self.tally.begin(idx)
        counts[opcode] += 1
        counts[BYTES_IN] += size_in
        counts[BYTES_OUT] += size_out
        took = self.doubles[TOOK]
        if self._untimed is not None and took > 0.0:
            self._untimed[bucket_of(min(took, LONGEST_S))] += 1
        self._untimed = counts
