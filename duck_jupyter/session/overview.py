"""
What a session shares, and what went through it, as words and numbers for a table.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ..stats.words import serving_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..stats.rows import ObjectRow
    from .session import Session

__all__ = ["NOT_SERVING", "Overview", "overview_of"]

#: Objects reached through one shared name that get a row of their own.
MOST_CHAINED = 10
NOT_SERVING = "No server runs and nothing is shared"
TO_SHARE = "To share a variable: %share NAME"


class Overview(NamedTuple):
    """
    A session at one moment.
    """

    #: One sentence.
    state: str
    rows: tuple[ObjectRow, ...]
    #: How many rows were left out.
    left_out: int
    #: The cluster that a shared name is on, such as "dask", by the number of its row.
    clusters: Mapping[int, str] = MappingProxyType({})


def overview_of(session: Session) -> Overview:
    """
    Look at a session.
    """
    names = session.names
    server = session.server
    if server is None:
        return Overview(f"{NOT_SERVING}. {TO_SHARE}", (), 0)
    statistics = server.statistics()
    by_root: dict[str, list[ObjectRow]] = {}
    own: dict[int, ObjectRow] = {}
    for found in statistics.proxies:
        own[found.idx] = found
        if found.level:
            by_root.setdefault(found.root, []).append(found)
    rows: list[ObjectRow] = []
    left_out = 0
    clusters: dict[int, str] = {}
    for shared in names:
        idx = shared.proxy._duck_idx
        if idx in own:
            rows.append(own[idx])
        if shared.terms.on is not None:
            clusters[idx] = shared.terms.on.word
        chained = by_root.pop(shared.name, [])
        left_out += max(0, len(chained) - MOST_CHAINED)
        rows += chained[:MOST_CHAINED]
    state = serving_in_words(
        len(names), len(statistics.workers), called=statistics.totals.are_used
    )
    hint = "" if names else f" {TO_SHARE}"
    return Overview(f"{state}.{hint}", tuple(rows), left_out, clusters)
