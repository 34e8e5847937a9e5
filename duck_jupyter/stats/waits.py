"""
How long clients have waited on each object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..transport.lanes import WAITING
from .counts import LATENCY_FIRST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .sources import Server

__all__ = ["waits_by_object"]


def waits_by_object(server: Server) -> dict[str, float]:
    """
    Estimate the seconds that all clients have waited on each object, by its path.

    They are worked out from the latencies, which are counted in buckets of a factor of
    two: each counts as the geometric middle of its bucket. So nothing more is counted
    in a call. A call that has not ended counts until now.
    """
    entries = dict(server.table.entries)
    found = {idx: _seconds(entry.counts) for idx, entry in entries.items()}
    for connection in server.connections():
        for idx, counts in list(connection.counts.items()):
            found[idx] = found.get(idx, 0.0) + _seconds(counts)
        idx = connection.called
        if connection.words[WAITING] and idx:
            found[idx] = found.get(idx, 0.0) + connection.waits_for()
    by_path: dict[str, float] = {}
    for idx, seconds in found.items():
        if seconds and idx in entries:
            path = entries[idx].path
            by_path[path] = by_path.get(path, 0.0) + seconds
    return by_path


def _seconds(counts: Sequence[int]) -> float:
    return sum(
        count * 2 ** (bucket - 0.5) / 4e6
        for bucket, count in enumerate(counts[LATENCY_FIRST:])
        if count
    )
