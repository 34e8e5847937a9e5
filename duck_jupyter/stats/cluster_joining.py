"""
Joining what clusters say of their workers with what the server counts of their calls.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from .row_building import holder_row
from .worker_rows import ClusterWorker, EndedRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .exits import End
    from .worker_rows import WorkerRow

__all__ = ["Departed", "Member", "is_of", "join_members"]


class Member(NamedTuple):
    """
    A worker of a cluster.

    Attributes:
        number: `WorkerRow.pid` where it has not connected.
        since: When it was listed first, in seconds since the epoch.
        is_here: Whether it is a process of this host.
    """

    number: int
    since: float
    name: str
    is_here: bool
    facts: ClusterWorker


class Departed(NamedTuple):
    """
    A worker that has left its cluster.

    Attributes:
        member: What was known of it; None if it was never listed.
        ended: Seconds since the epoch.
    """

    member: Member | None
    ended: float
    end: End


def join_members(
    workers: Sequence[WorkerRow],
    ended: Sequence[EndedRow],
    members: Iterable[Member],
    departed: Mapping[str, Departed],
) -> tuple[tuple[WorkerRow, ...], tuple[EndedRow, ...]]:
    """
    Give a row for each process that calls, holds versions, or works for a cluster.

    Args:
        workers: Those of processes that call or hold.
        ended: Those of processes that were connected.
        members: The workers of the clusters.
        departed: Those that have left, by address.
    """
    found = {row.pid: row for row in workers}
    by_address = {row.cluster.address: row for row in workers if row.cluster}
    # Its cluster may hear of an end first.
    present = {address: row.own_pid for address, row in by_address.items()}
    for member in members:
        address = member.facts.address
        present[address] = member.facts.pid or present.get(address)
        row = by_address.get(address) or _process_of(member, found)
        if row is None:
            row = holder_row(member.number, member.since, 0)
        facts = member.facts
        if facts.pid is None and row.cluster is not None:
            facts = replace(facts, pid=row.cluster.pid)
        found[row.pid] = replace(
            row, name=member.name, since=min(row.since, member.since), cluster=facts
        )
    rows = sorted(found.values(), key=lambda row: row.since)
    return tuple(rows), _ends(ended, present, departed)


def _process_of(member: Member, rows: Mapping[int, WorkerRow]) -> WorkerRow | None:
    """
    Return the row of a process of this host that has not said what it is.
    """
    pid = member.facts.pid
    return rows.get(pid) if member.is_here and pid and pid != os.getpid() else None


def _ends(
    rows: Sequence[EndedRow],
    present: Mapping[str, int | None],
    departed: Mapping[str, Departed],
) -> tuple[EndedRow, ...]:
    """
    Return the processes that have ended.

    Args:
        rows: Those whose connections have ended.
        present: The numbers of the present processes, by address. A nanny starts a
            worker again at the same address, if that has a fixed port.
        departed: The workers that have left, by address.
    """
    found, told = [], set()
    for row in rows:
        address = "" if row.cluster is None else row.cluster.address
        if address and is_present(row.own_pid, address, present):
            continue  # only its connections have ended
        left = departed.get(address)
        if left is not None and is_of(left, row.own_pid):
            told.add(address)
            # Where the cluster has no reason, the exit code says more.
            if row.exit_code is None or left.end.how != "gone":
                row = replace(row, how=left.end.how, words=left.end.words)
        found.append(row)
    for address, left in departed.items():
        member = left.member
        if member is None or address in told:
            continue
        if not is_present(member.facts.pid, address, present):
            found.append(
                EndedRow(
                    *(member.number, member.name, member.since, left.ended),
                    *(None, left.end.how, left.end.words, 0),
                    cluster=member.facts,
                )
            )
    return tuple(sorted(found, key=lambda row: row.ended))


def is_of(left: Departed, pid: int | None) -> bool:
    """
    Return whether an end is that of a process, as far as is known.
    """
    known = None if left.member is None else left.member.facts.pid
    return known is None or known == pid


def is_present(
    pid: int | None, address: str, present: Mapping[str, int | None]
) -> bool:
    """
    Return whether a process is still the one at its address, as far as is known.
    """
    if address not in present:
        return False
    now = present[address]
    return pid is None or now is None or pid == now
