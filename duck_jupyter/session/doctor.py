"""
The doctor: space for blocks, blocks in use, and left-overs of killed processes.

It collects numbers and writes them as tables of text that every front end shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..memory.folders import Place, memory_place
from ..memory.leftovers import Leftover, find_leftovers, remove
from ..memory.spool import spool_place
from ..stats.rows import Finding
from ..stats.text import age, exact, in_bytes, many
from ..transport.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .session import Session

__all__ = [
    "Held",
    "Report",
    "Section",
    "clean",
    "examine",
    "findings_of",
    "sections_of",
]

#: Findings warn about less shared memory than this; a container has 64 MB by default.
LITTLE_BYTES = 256 * 2**20


class Held(NamedTuple):
    """
    Blocks of one kind that this process holds.
    """

    what: str
    blocks: int
    bytes: int


class Report(NamedTuple):
    """
    The blocks on this machine at one moment.
    """

    memory: Place
    spool: Place
    held: tuple[Held, ...]
    leftovers: tuple[Leftover, ...]


class Section(NamedTuple):
    """
    A sentence, and a table below it that may be empty.
    """

    sentence: str
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def examine(session: Session) -> Report:
    """
    Examine the machine, and the blocks that a session holds.
    """
    return Report(
        memory_place(), spool_place(), _held_by(session), tuple(find_leftovers())
    )


def clean(report: Report) -> tuple[Leftover, ...]:
    """
    Remove the left-overs of a report, except those that a process now uses.

    Returns:
        The removed left-overs.
    """
    return tuple(leftover for leftover in report.leftovers if remove(leftover))


def sections_of(
    report: Report,
    removed: tuple[Leftover, ...] | None = None,
    command: str = "%duck doctor --clean",
) -> tuple[Section, ...]:
    """
    Write a report for people.

    Args:
        report: The result of `examine`.
        removed: The left-overs removed since then; None if none were to be removed.
        command: The command that removes the left-overs.
    """
    return (
        _room(report),
        _holdings(report.held),
        _found(report.leftovers, command)
        if removed is None
        else _removed(report.leftovers, removed),
    )


def findings_of(report: Report) -> list[Finding]:
    """
    Return the findings of a report that need an action of the user.
    """
    found = []
    memory = report.memory
    if memory.capacity < LITTLE_BYTES:
        line = "docker run --shm-size=2g" if memory.capacity else ""
        found.append(Finding("little memory", _room(report).sentence, line))
    if report.leftovers:
        size = in_bytes(sum(leftover.bytes for leftover in report.leftovers))
        found.append(
            Finding(
                "left-overs",
                f"{_things(len(report.leftovers))} left by processes that were killed, "
                f"{size}, and no process uses them.",
                "%duck doctor --clean",
            )
        )
    return found


def _held_by(session: Session) -> tuple[Held, ...]:
    server = session.server
    if server is None:
        return ()
    peers = [connection.lane for connection in server.connections()]
    lanes = [peer for peer in peers if isinstance(peer, Lane)]
    large = [size for lane in lanes if (size := lane.overflow.bytes)]
    versions = server.publisher.store.versions()
    held = (
        Held("versions", versions.kept, versions.bytes),
        Held("lanes", len(lanes), sum(lane.block.size for lane in lanes)),
        Held("large messages", len(large), sum(large)),
    )
    return tuple(kind for kind in held if kind.blocks)


def _room(report: Report) -> Section:
    memory, spool = report.memory, report.spool
    if not memory.capacity:
        sentence = f"{memory.folder} cannot be written to: all blocks are on disk."
    elif memory.capacity < LITTLE_BYTES:
        sentence = (
            f"{memory.folder} is small: blocks that do not fit are written to "
            f"{spool.folder}. For more, start the container with docker run "
            "--shm-size=2g, or with as much as your data needs."
        )
    else:
        sentence = (
            f"Blocks are in {memory.folder}; blocks that do not fit are written to "
            f"{spool.folder}."
        )
    places = (("memory", memory), ("spool", spool))
    return Section(
        sentence,
        ("Room", "Folder", "Capacity", "Free"),
        tuple(
            (what, str(place.folder), in_bytes(place.capacity), in_bytes(place.free))
            for what, place in places
        ),
    )


def _holdings(held: tuple[Held, ...]) -> Section:
    if not held:
        return Section("This process holds no blocks.")
    total = in_bytes(sum(kind.bytes for kind in held))
    return Section(
        f"This process holds {total}.",
        ("Held", "Blocks", "Bytes"),
        tuple((kind.what, exact(kind.blocks), in_bytes(kind.bytes)) for kind in held),
    )


def _found(leftovers: tuple[Leftover, ...], command: str) -> Section:
    if not leftovers:
        return Section("Processes that ended have left nothing.")
    return _listing(
        f"{_things(len(leftovers))} left by processes that were killed, and no process "
        f"uses them. To remove them: {command}",
        leftovers,
    )


def _removed(found: tuple[Leftover, ...], removed: tuple[Leftover, ...]) -> Section:
    if not found:
        return Section("Nothing was left to remove.")
    sentence = (
        f"{_things(len(removed))} removed." if removed else "Nothing was removed."
    )
    missed = [leftover for leftover in found if leftover not in removed]
    if missed:
        paths = ", ".join(str(leftover.path) for leftover in missed)
        sentence += (
            f" Not removed, because already removed, in use or not empty: {paths}."
        )
    return _listing(sentence, removed)


def _listing(sentence: str, leftovers: Iterable[Leftover]) -> Section:
    rows = tuple(
        (
            str(leftover.path),
            leftover.kind,
            in_bytes(leftover.bytes),
            age(leftover.age),
            "" if leftover.pid is None else str(leftover.pid),
        )
        for leftover in leftovers
    )
    headings = ("Left-over", "Kind", "Bytes", "Age", "Process")
    return Section(sentence, headings if rows else (), rows)


def _things(count: int) -> str:
    return f"{many(count, 'thing')} {'was' if count == 1 else 'were'}"
