"""
Makes rows from counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.versions import Versions
from ..memory.folders import memory_place
from ..memory.spool import spool_folder
from .counts import LAST_BYTES, LATENCY_FIRST
from .rows import MemoryRow, ObjectRow, Totals
from .worker_rows import WorkerRow
from .workers import process_name

if TYPE_CHECKING:
    from .sources import Entry, Server

__all__ = ["counts_in", "holder_row", "memory_row", "object_row", "totals_of"]

NOTHING_KEPT = Versions()


def holder_row(pid: int, since: float, versions: int) -> WorkerRow:
    """
    Describe a process that maps versions and has never connected.
    """
    return WorkerRow(
        pid=pid,
        name=process_name(pid),
        since=since,
        threads=0,
        calls=0,
        bytes_in=0,
        bytes_out=0,
        waited=0.0,
        connected=0.0,
        calling=(),
        pss=None,
        holds=versions,
    )


def object_row(
    server: Server,
    entry: Entry,
    size: str,
    counts: list[int],
    pids: tuple[int, ...],
    is_published: bool,
) -> ObjectRow:
    """
    Describe an object.

    Args:
        server: Its server.
        entry: The object.
        size: A description of its size.
        counts: The counts of its calls.
        pids: The processes that hold or call it.
        is_published: Whether it has, or had, versions.
    """
    idx, policy, publisher = entry.idx, entry.policy, server.publisher
    noted = server.errors.last_of.get(idx)
    versions = publisher.versions(idx) if is_published else NOTHING_KEPT
    handovers, handed_bytes = publisher.handed.of(idx) if is_published else (0, 0)
    gets, sets, executes, bytes_in, bytes_out, beside, *sizes = counts[:LATENCY_FIRST]
    last, peak, buffer = sizes
    return ObjectRow(
        idx=idx,
        parent=entry.parent,
        path=entry.path,
        root=policy.name,
        type=entry.type_name,
        size=size,
        mode=publisher.mode(entry) if is_published else policy.mode,
        level=entry.level,
        max_level=policy.max_chain,
        bufsize=buffer or policy.bufsize,
        gets=gets,
        sets=sets,
        executes=executes,
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        last=last,
        peak=peak,
        versions=versions.kept,
        version_bytes=versions.bytes,
        mapped_bytes=versions.mapped,
        awaited=versions.awaited,
        last_error=None if noted is None else noted.text,
        error=None if noted is None else noted.error,
        pids=pids,
        since=entry.since,
        beside=beside,
        handovers=handovers,
        handed_bytes=handed_bytes,
    )


def memory_row(ours: int = 0, spooled: int = 0) -> MemoryRow:
    """
    Return the row of the folder of shared memory.

    Args:
        ours: The bytes that this server uses.
        spooled: The bytes of them in the spool folder.
    """
    place = memory_place()
    known = bool(place.capacity)
    return MemoryRow(
        capacity=place.capacity if known else None,
        free=place.free if known else None,
        ours=ours,
        spooled=spooled,
        spool_dir=str(spool_folder()),
        findings=None,
    )


def totals_of(counts: list[int]) -> Totals:
    """
    Describe the calls to all objects.
    """
    gets, sets, executes, bytes_in, bytes_out, beside = counts[:LAST_BYTES]
    last, peak, _ = counts[LAST_BYTES:LATENCY_FIRST]
    latency = tuple(counts[LATENCY_FIRST:])
    return Totals(
        gets, sets, executes, bytes_in, bytes_out, last, peak, latency, beside
    )


def counts_in(row: ObjectRow) -> list[int]:
    """
    Return the counts of a row.
    """
    return [
        *(row.gets, row.sets, row.executes),
        *(row.bytes_in, row.bytes_out, row.beside),
        *(row.last, row.peak, row.bufsize),
    ]
