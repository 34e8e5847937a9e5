"""
The doctor's report: what room there is, what is held, and what the dead left.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from traitlets import TraitError

from duck_jupyter.client.fetching import fetch
from duck_jupyter.errors import NotShareable
from duck_jupyter.memory import spool
from duck_jupyter.memory.blocks import attach_named
from duck_jupyter.memory.folders import Place
from duck_jupyter.memory.leftovers import Leftover
from duck_jupyter.session.api import share
from duck_jupyter.session.doctor import (
    Held,
    Report,
    clean,
    examine,
    sections_of,
)
from duck_jupyter.session.names import Terms
from duck_jupyter.session.session import Session
from duck_jupyter.session.settings import DuckJupyter
from tests.support.processes import run_python

if TYPE_CHECKING:
    from tests.support.workers import Worker

pytestmark = pytest.mark.alone

GB = 2**30
MEMORY = Place(Path("/dev/shm"), 8 * GB, 6 * GB)
SPOOL = Place(Path("/tmp"), 100 * GB, 50 * GB)
LEFT = Leftover(Path("/dev/shm/duck-0123456789abcdef"), "block", 4096, 7200.0, None)
FOLDER = Leftover(Path("/tmp/duck-17-abcdefgh"), "socket folder", 0, 90.0, 17)

LEAVE = """
import os
from duck_jupyter.memory.blocks import create_named
from duck_jupyter.proxy import ProxyServer
server = ProxyServer()
server.run()
print(f"/dev/shm/{create_named(5000).name}")
print(os.path.dirname(server.link.address), flush=True)
os.kill(os.getpid(), 9)
"""


class Cell:
    def keep(self, data: Any) -> int:
        return len(data)


def words_of(report: Report, removed: Any = None) -> str:
    """
    Give a report as one text.
    """
    lines = []
    for sentence, headings, rows in sections_of(report, removed):
        lines += [sentence, *(" | ".join(row) for row in (headings, *rows) if row)]
    return "\n".join(lines)


def test_a_session_without_a_server_holds_nothing(session: Session) -> None:
    report = examine(session)
    assert report.held == ()
    found = os.statvfs("/dev/shm")
    assert report.memory.capacity == found.f_blocks * found.f_frsize
    assert report.spool.free > 0
    assert "This process holds no blocks." in words_of(report)


def test_what_a_server_holds_is_lanes_and_blocks_beside_them(
    session: Session, worker: Worker
) -> None:
    proxy = share(Cell(), name="cell")
    worker.run(keep, proxy, np.zeros(20_000))
    held = {kind.what: kind for kind in examine(session).held}
    assert held["lanes"].blocks == 1
    assert held["lanes"].bytes >= 4096
    assert held["large messages"].blocks == 1
    assert held["large messages"].bytes >= 160_000


def test_what_was_published_is_held_as_versions(
    session: Session, worker: Worker
) -> None:
    data = np.ones(100_000)
    assert worker.run(total, share(data, name="data")) == 100_000
    data[:] = 2
    assert worker.run(total, share(data, name="data")) == 200_000
    held = {kind.what: kind for kind in examine(session).held}
    assert 1 <= held["versions"].blocks <= 2
    assert held["versions"].bytes >= 800_000


def test_the_sizes_of_what_is_held_are_those_of_the_system(
    session: Session, worker: Worker
) -> None:
    """
    Each file is counted once: versions, lanes, and large messages behind a lane.
    """
    data = np.ones(1_000_000)
    assert worker.run(total, share(data, name="data")) == 1_000_000
    worker.run(keep, share(Cell(), name="cell"), np.zeros(20_000))
    server = session.server
    assert server is not None
    lane: Any
    (lane,) = [each.lane for each in server.connections()]
    files = {}
    for fd in Path("/proc/self/fd").iterdir():
        name = str(fd.readlink()) if fd.is_symlink() else ""
        if "duck-" in name or name.startswith("/dev/shm"):
            found = fd.stat()
            files[found.st_ino] = found
    own = os.fstat(lane.block.descriptor.fileno())
    (version,) = [each.st_size for each in files.values() if each.st_size > 8_000_000]
    assert {kind.what: (kind.blocks, kind.bytes) for kind in examine(session).held} == {
        "versions": (1, version),
        "lanes": (1, lane.block.size),
        "large messages": (1, own.st_blocks * 512 - lane.block.size),
    }
    ours = server.statistics().memory.ours
    assert ours == sum(kind.bytes for kind in examine(session).held)


def total(proxy: Any) -> int:
    return int(fetch(proxy).sum())


def keep(proxy: Any, data: Any) -> int:
    kept: int = proxy.keep(data)
    return kept


def test_what_a_killed_kernel_left_is_cleaned_and_only_that(session: Session) -> None:
    share(Cell(), name="cell")
    server = session.server
    assert server is not None
    done = run_python(LEAVE)
    left = {Path(line) for line in done.stdout.split()}
    assert len(left) == 2, done.stderr
    report = examine(session)
    assert left <= {leftover.path for leftover in report.leftovers}
    removed = clean(report)
    assert left <= {leftover.path for leftover in removed}
    assert not any(path.exists() for path in left)
    assert Path(server.link.address).exists()
    assert not left & {leftover.path for leftover in examine(session).leftovers}


def test_what_somebody_uses_since_the_report_is_not_removed(session: Session) -> None:
    block, folder = map(Path, run_python(LEAVE).stdout.split())
    report = examine(session)
    user = attach_named(block.name)
    removed = clean(report)
    assert block not in {leftover.path for leftover in removed}
    assert block.exists()
    assert f"in use or not empty: {block}" in words_of(report, removed)
    user.close()
    clean(examine(session))
    assert not block.exists()
    assert not folder.exists()


def test_a_report_is_sentences_and_tables() -> None:
    report = Report(MEMORY, SPOOL, (Held("lanes", 3, 12_288),), (LEFT, FOLDER))
    assert words_of(report).splitlines() == [
        "Blocks are in /dev/shm; blocks that do not fit are written to /tmp.",
        "Room | Folder | Capacity | Free",
        "memory | /dev/shm | 8.00 GB | 6.00 GB",
        "spool | /tmp | 100 GB | 50.0 GB",
        "This process holds 12.0 KB.",
        "Held | Blocks | Bytes",
        "lanes | 3 | 12.0 KB",
        (
            "2 things were left by processes that were killed, and no process uses "
            "them. To remove them: %duck doctor --clean"
        ),
        "Left-over | Kind | Bytes | Age | Process",
        "/dev/shm/duck-0123456789abcdef | block | 4.00 KB | 2 h | ",
        "/tmp/duck-17-abcdefgh | socket folder | 0 B | 1 m | 17",
    ]


@pytest.mark.parametrize(
    ("removed", "words"),
    [
        ((LEFT, FOLDER), "2 things were removed."),
        (
            (LEFT,),
            r"1 thing was removed\. Not removed, because .*: /tmp/duck-17-abcdefgh",
        ),
        ((), r"Nothing was removed\. Not removed"),
    ],
)
def test_it_says_what_was_removed(removed: Any, words: str) -> None:
    report = Report(MEMORY, SPOOL, (), (LEFT, FOLDER))
    assert re.search(words, words_of(report, removed))


def test_nothing_left_is_one_sentence() -> None:
    report = Report(MEMORY, SPOOL, (), ())
    assert "Processes that ended have left nothing." in words_of(report)
    assert "Nothing was left to remove." in words_of(report, ())


def test_little_or_no_shared_memory_comes_with_advice() -> None:
    little = Report(Place(Path("/dev/shm"), 64 * 2**20, 0), SPOOL, (), ())
    assert "--shm-size=" in words_of(little)
    none = Report(Place(Path("/dev/shm"), 0, 0), SPOOL, (), ())
    assert "/dev/shm cannot be written to" in words_of(none)


# -- the spool folder's setting


def test_the_spool_folder_counts_from_the_next_start(tmp_path: Path) -> None:
    session = Session(DuckJupyter(spool_dir=str(tmp_path)))
    try:
        session.share([], Terms())
        assert spool.spool_folder() == tmp_path
        assert examine(session).spool.folder == tmp_path
        session.settings.spool_dir = ""
        session.stop()
        session.share([], Terms())
        assert spool.spool_folder() != tmp_path
    finally:
        session.stop()


def test_a_spool_folder_that_cannot_be_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(
        TraitError,
        match=r"spool_dir must be an existing folder .* Create the folder first",
    ):
        DuckJupyter(spool_dir=str(tmp_path / "missing"))


def test_a_spool_folder_that_went_away_is_an_error_at_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    session = Session(DuckJupyter(spool_dir=str(folder)))
    folder.rmdir()
    with pytest.raises(NotShareable, match="spool_dir"):
        session.share([], Terms())
    assert session.server is None


def test_workers_follow_the_folder_of_their_kernel(
    tmp_path: Path, worker: Worker, session: Session
) -> None:
    session.settings.spool_dir = str(tmp_path)
    try:
        proxy = share(Cell(), name="cell")
        assert worker.run(spool_after_a_call, proxy) == str(tmp_path)
    finally:
        session.settings.spool_dir = ""
        session.stop()
        spool.use_spool("")
        worker.run(spool.use_spool, "")


def spool_after_a_call(proxy: Any) -> str:
    proxy.keep("")
    return spool.chosen_spool()
