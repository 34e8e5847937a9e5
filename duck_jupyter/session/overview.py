"""
What a session shares, and what went through it, as words and numbers for a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..stats.words import serving_in_words
from .sizes import size_of

if TYPE_CHECKING:
    from ..data.versions import Versions
    from ..stats.rows import ProxyStatistics
    from .session import Session

__all__ = ["NOT_SERVING", "Overview", "Row", "overview_of"]

#: Objects reached through one shared name that get a row of their own.
MOST_CHAINED = 10
NOT_SERVING = "No server runs and nothing is shared"
TO_SHARE = "To share a variable: %share NAME"


class Row(NamedTuple):
    """
    One shared object, or one reached through it.
    """

    #: The shared name, or the path from it.
    name: str
    type_name: str
    #: In words, or "" where it is not known.
    size: str
    level: int
    #: ``"live"``, ``"frozen"``, ``"inplace"`` or ``"read-only"``.
    mode: str
    #: Processes that hold or call it.
    workers: int
    calls: int
    #: Bytes of frames, both ways.
    bytes: int
    #: Bytes of the last frame, of the largest one, and of the buffer.
    last: int
    peak: int
    bufsize: int
    #: What is kept of it for workers that fetch it.
    versions: Versions
    last_error: str | None


class Overview(NamedTuple):
    """
    A session at one moment.
    """

    #: One sentence.
    state: str
    rows: tuple[Row, ...]
    #: How many rows were left out.
    left_out: int


def overview_of(session: Session) -> Overview:
    """
    Look at a session.
    """
    names = session.names
    server = session.server
    if server is None:
        return Overview(f"{NOT_SERVING}. {TO_SHARE}", (), 0)
    statistics = server.statistics()
    by_root: dict[str, list[ProxyStatistics]] = {}
    own: dict[int, ProxyStatistics] = {}
    for found in statistics.proxies:
        own[found.idx] = found
        if found.level:
            by_root.setdefault(found.root, []).append(found)
    entries = server.table.entries
    rows: list[Row] = []
    left_out = 0
    for shared in names:
        idx = shared.proxy._duck_idx
        if idx in own:
            rows.append(_row(own[idx], shared.target))
        chained = by_root.pop(shared.name, [])
        left_out += max(0, len(chained) - MOST_CHAINED)
        for found in chained[:MOST_CHAINED]:
            entry = entries.get(found.idx)
            rows.append(_row(found, None if entry is None else entry.target))
    state = serving_in_words(
        len(names), len(statistics.workers), called=bool(statistics.totals.calls)
    )
    hint = "" if names else f" {TO_SHARE}"
    return Overview(f"{state}.{hint}", tuple(rows), left_out)


def _row(found: ProxyStatistics, target: Any) -> Row:
    calls = found.calls
    return Row(
        found.path,
        found.type_name,
        size_of(target),
        found.level,
        found.mode,
        len(found.worker_pids),
        calls.calls,
        calls.bytes_in + calls.bytes_out,
        calls.last_bytes,
        calls.peak_bytes,
        found.bufsize,
        found.versions,
        found.last_error,
    )
