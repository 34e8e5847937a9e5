"""
What is left by processes that were killed is told from what somebody uses.
"""

from __future__ import annotations

import os
import pickle
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.memory import folders, leftovers, spool
from duck_jupyter.memory.blocks import attach_named, create_named, unlink_named
from duck_jupyter.memory.leftovers import find_leftovers, remove, sweep
from duck_jupyter.proxy import ProxyServer
from tests.support.processes import run_python, start_python, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.alone, pytest.mark.slow]

MEMORY = Path("/dev/shm")

MAKE_AND_DIE = """
import os
from duck_jupyter.memory.blocks import create_named
from duck_jupyter.proxy import ProxyServer
server = ProxyServer()
server.run()
block = create_named(5000)
print(block.name)
print(os.path.dirname(server.link.address), flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def left() -> Iterator[tuple[Path, Path]]:
    """
    A block and a folder of a process that was killed.
    """
    done = run_python(MAKE_AND_DIE)
    block, folder = done.stdout.split()
    paths = MEMORY / block, Path(folder)
    yield paths
    assert wait_until(lambda: all(swept(path) for path in paths))


def found() -> set[Path]:
    return {leftover.path for leftover in find_leftovers()}


def swept(path: Path) -> bool:
    """
    Sweep, and tell whether something is gone.

    The sweep of another process, which looks at it just then, hides it from ours.
    """
    sweep()
    return not path.exists()


def test_what_a_killed_process_left_is_found_and_removed(
    left: tuple[Path, Path],
) -> None:
    block, folder = left
    by_path = {leftover.path: leftover for leftover in find_leftovers()}
    assert by_path[block].kind == "block"
    assert by_path[block].bytes >= 0
    assert 0 <= by_path[block].age < 60
    assert by_path[folder].kind == "socket folder"
    assert str(by_path[folder].pid) == folder.name.split("-")[1]
    assert remove(by_path[block])
    assert not block.exists()
    assert folder.exists()
    assert remove(by_path[folder])
    assert not folder.exists()
    # Whoever comes later finds nothing to remove.
    assert not remove(by_path[block])
    assert not remove(by_path[folder])


def test_the_next_server_sweeps_when_it_starts(left: tuple[Path, Path]) -> None:
    with ProxyServer():
        assert not any(path.exists() for path in left)


def test_what_a_living_process_uses_is_no_leftover() -> None:
    with ProxyServer() as server:
        block = create_named(5000)
        used = {MEMORY / block.name, Path(server.link.address).parent}
        assert not used & found()
        done = run_python("from duck_jupyter.memory.leftovers import *; print(sweep())")
        assert done.stderr == ""
        assert all(path.exists() for path in used)
        unlink_named(block)


ATTACH = """
import sys
from duck_jupyter.memory.blocks import attach_named
block = attach_named(sys.argv[1])
print("attached", flush=True)
sys.stdin.read()
"""


def test_a_block_whose_maker_is_dead_stays_while_somebody_uses_it(
    left: tuple[Path, Path],
) -> None:
    block, _ = left
    # Until the other process is there: servers of other tests sweep, too.
    ours = attach_named(block.name)
    with start_python(ATTACH, block.name) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "attached\n"
        ours.close()
        assert block not in found()
        sweep()
        assert block.exists()
        user.communicate()
    assert wait_until(lambda: swept(block))


FORK_AND_DIE = """
import os, sys
from duck_jupyter.memory.blocks import create_named
from duck_jupyter.proxy import ProxyServer
server = ProxyServer()
server.run()
block = create_named(5000)
print(block.name)
print(os.path.dirname(server.link.address), flush=True)
if os.fork():
    os.kill(os.getpid(), 9)
print("forked", flush=True)
sys.stdin.read()
"""


def test_a_forked_worker_keeps_the_block_that_it_can_use_and_not_the_folder() -> None:
    with start_python(FORK_AND_DIE) as user:
        assert user.stdout is not None
        block, folder, _ = (user.stdout.readline().strip() for _ in range(3))
        user.wait()
        assert wait_until(lambda: swept(Path(folder)))
        assert (MEMORY / block).exists()
        user.communicate()
    assert wait_until(lambda: swept(MEMORY / block))


def test_only_what_is_named_as_we_name_things_is_looked_at(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="duck-1-"))
    other = [
        MEMORY / "duck-typed",
        Path(tempfile.gettempdir()) / "duck-pond",
        folder / "letter",
    ]
    target = tmp_path / "target"
    target.write_text("mine")
    link = Path(tempfile.gettempdir()) / f"duck-{'0' * 16}"
    link.symlink_to(target)
    try:
        for path in other:
            path.write_text("mine")
        sweep()
        assert all(path.read_text() == "mine" for path in other)
        assert target.read_text() == "mine"
        assert link.is_symlink()
    finally:
        for path in (*other, link):
            path.unlink()
        folder.rmdir()


def test_a_folder_with_something_else_in_it_stays(left: tuple[Path, Path]) -> None:
    _, folder = left
    (folder / "letter").write_text("mine")
    sweep()
    assert (folder / "letter").read_text() == "mine"
    (folder / "letter").unlink()


def test_another_users_things_are_none_of_ours(
    left: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Root can open them, and leaves them to whom they belong.
    """
    assert set(left) <= found()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 65534)
        assert not set(left) & found()


def test_a_name_that_a_sweep_took_at_the_wrong_moment_is_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Between making and locking a sweep may come; whoever made it notices.
    """
    swept: list[str] = []
    turns = iter([True, False, True, False])

    def sweep_first(fd: int) -> bool:
        if next(turns):
            swept.extend(leftover.kind for leftover in sweep())
        return leftovers.hold(fd)

    monkeypatch.setattr("duck_jupyter.memory.blocks.hold", sweep_first)
    monkeypatch.setattr("duck_jupyter.transport.rendezvous.hold", sweep_first)
    block = create_named(100)
    assert swept == ["block"]
    with ProxyServer() as server:
        assert swept == ["block", "socket folder"]
        assert Path(server.link.address).exists()
        assert (MEMORY / block.name).exists()
    unlink_named(block)


def test_a_block_that_travels_is_locked_where_it_arrives() -> None:
    block = create_named(100)
    copy = pickle.loads(pickle.dumps(block))
    block.close()
    assert MEMORY / block.name not in found()
    copy.close()
    assert MEMORY / block.name in found()
    unlink_named(attach_named(block.name))


def test_no_folder_to_look_into_is_nothing_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MEMORY_FOLDER", tmp_path / "missing")
    find_leftovers()
    with ProxyServer() as server:
        assert server.running


def test_a_spool_file_of_a_moment_is_swept_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where a file system knows no nameless files it has a name for an instant.
    """
    monkeypatch.setattr(spool, "_spool", tmp_path)
    file = tmp_path / f"duck-{'a' * 16}"
    file.touch()
    assert file in {leftover.path for leftover in sweep()}
    assert not file.exists()


def test_a_socket_in_a_folder_goes_with_it() -> None:
    folder = Path(tempfile.mkdtemp(prefix=leftovers.folder_prefix()))
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(folder / leftovers.SOCKET_NAME))
    assert folder in {leftover.path for leftover in sweep()}
    assert not folder.exists()
