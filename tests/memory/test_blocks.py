"""
Blocks: private, allocated before use, and gone with their last user.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import resource
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.errors import DataTooBigError, KernelGone
from duck_jupyter.memory import allocation, folders
from duck_jupyter.memory.blocks import (
    Block,
    attach_named,
    buffer_of,
    create_named,
    unlink_named,
)
from tests.support.blocks import list_blocks, list_nameless
from tests.support.limits import soft_limit
from tests.support.processes import ROOT, run_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.shared_memory import SharedMemory

ABSURD = 2**60


@pytest.fixture
def named() -> Iterator[SharedMemory]:
    block = create_named(1000)
    yield block
    unlink_named(block)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def behind(block: Block) -> Path:
    """
    Give the file that the system shows behind a block.
    """
    return Path(f"/proc/self/fd/{block.descriptor.fileno()}").readlink()


def test_a_block_has_no_name_and_only_its_user_may_open_it() -> None:
    before = list_blocks()
    block = Block.create(5000)
    try:
        found = os.fstat(block.descriptor.fileno())
        assert found.st_nlink == 0
        assert stat.S_IMODE(found.st_mode) == 0o600
        assert list_blocks() == before
        assert list_nameless()
    finally:
        block.close()


def test_a_block_is_whole_pages_and_allocated_before_use() -> None:
    block = Block.create(mmap.PAGESIZE + 1)
    try:
        assert block.size == 2 * mmap.PAGESIZE
        assert os.fstat(block.descriptor.fileno()).st_blocks * 512 >= block.size
        assert block.map[:] == bytes(block.size)
    finally:
        block.close()


def test_two_blocks_of_one_descriptor_are_the_same_memory() -> None:
    one = Block.create(100)
    two = Block(os.dup(one.descriptor.fileno()), one.size)
    try:
        one.map[:5] = b"hello"
        assert two.map[:5] == b"hello"
    finally:
        one.close()
        two.close()


def test_a_block_closed_twice_is_closed_once() -> None:
    block = Block.create(100)
    other = os.dup(block.descriptor.fileno())
    block.close()
    block.close()
    assert "closed" in repr(block)
    os.fstat(other)
    os.close(other)


def test_a_block_takes_a_descriptor_over_or_leaves_it_where_it_was() -> None:
    one = Block.create(100)
    fds = [os.dup(one.descriptor.fileno())]
    with pytest.raises(ValueError, match="mmap length"):
        Block.take_over(fds, 2 * one.size)
    (number,) = fds
    os.fstat(number)
    two = Block.take_over(fds, one.size)
    assert fds == []
    assert two.descriptor.fileno() == number
    one.map[:5] = b"hello"
    assert two.map[:5] == b"hello"
    one.close()
    two.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_block_goes_with_its_last_reference() -> None:
    before = descriptors()
    block = Block.create(100)
    assert f"fd={block.descriptor.fileno()}" in repr(block)
    del block
    assert descriptors() == before


def test_a_view_that_somebody_holds_outlives_the_block() -> None:
    block = Block.create(100)
    view = memoryview(block.map)
    block.close()
    view[0] = 7
    assert view[0] == 7


def test_a_descriptor_that_is_no_memory_is_refused_and_closed() -> None:
    """
    What another process sent may be anything; nothing of it stays open.
    """
    before = descriptors()
    reader, writer = os.pipe()
    with pytest.raises((OSError, ValueError)):
        Block(reader, 4096)
    with pytest.raises((OSError, ValueError)):
        Block(writer, 4096)
    empty = os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR, 0o600)
    with pytest.raises((OSError, ValueError)):
        Block(empty, 4096)
    assert descriptors() == before


def test_a_block_that_can_grow_cannot_be_shortened_by_anybody() -> None:
    """
    Whoever gets the descriptor could end this process with SIGBUS otherwise.
    """
    block = Block.create_growing(5000)
    try:
        number = block.descriptor.fileno()
        found = os.fstat(number)
        assert stat.S_IMODE(found.st_mode) == 0o600
        assert found.st_blocks * 512 >= block.size == 2 * mmap.PAGESIZE
        with pytest.raises(PermissionError):
            os.ftruncate(number, 0)
        with pytest.raises(PermissionError):
            fcntl.fcntl(number, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        os.ftruncate(number, 100 * mmap.PAGESIZE)
        assert block.map[:] == bytes(block.size)
        assert any("memfd" in path for path in list_nameless())
    finally:
        block.close()


def test_a_descriptor_stays_open_for_who_holds_it() -> None:
    """
    Else its number could be another file's while somebody uses it.
    """
    block = Block.create(5000)
    descriptor = block.descriptor
    before = descriptors()
    block.close()
    assert block.closed
    with pytest.raises(ValueError, match="closed"):
        block.descriptor  # noqa: B018
    assert os.fstat(descriptor.fileno()).st_size == block.size
    del descriptor
    assert descriptors() == before - 1
    del block  # whose mapping has one of its own
    assert descriptors() == before - 2


def refuse(*_: object) -> int:
    raise OSError(errno.ENOSYS, "not on this system")


@pytest.mark.parametrize("missing", ["memfd_create", "fchmod"])
def test_a_system_without_such_blocks_gives_others(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = descriptors()
    monkeypatch.setattr(os, missing, refuse)
    block = Block.create_growing(5000)
    assert block.size == 2 * mmap.PAGESIZE
    assert (
        not Path(f"/proc/self/fd/{block.descriptor.fileno()}")
        .readlink()
        .name.startswith("memfd")
    )
    del block
    assert descriptors() == before


def test_large_blocks_are_not_made_outside_of_shared_memory() -> None:
    """
    Its limit is what guards the machine.
    """
    block = Block.create_growing(allocation.GROWING_BYTES + 1)
    assert str(
        Path(f"/proc/self/fd/{block.descriptor.fileno()}").readlink()
    ).startswith("/dev/shm/")
    block.close()


def test_where_there_is_no_shared_memory_a_temporary_file_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MEMORY_FOLDER", tmp_path / "missing")
    block = Block.create(5000)
    try:
        block.map[:3] = b"abc"
        assert str(behind(block)).startswith(tempfile.gettempdir())
        assert os.fstat(block.descriptor.fileno()).st_nlink == 0
    finally:
        block.close()


@pytest.mark.parametrize("size", [ABSURD, 2**63 - 1, 2**70])
def test_a_block_without_room_says_how_much_there_is(size: int) -> None:
    before = descriptors()
    with pytest.raises(DataTooBigError, match=r"free bytes.*less.*shm-size"):
        Block.create(size)
    assert descriptors() == before


def test_a_full_file_system_is_an_error_and_no_signal() -> None:
    """
    To write to pages that cannot be had would end the process with SIGBUS.

    A limit on file sizes stands for the file system: it refuses at the same call.
    """
    with soft_limit(resource.RLIMIT_FSIZE, 1_000_000):
        with pytest.raises(DataTooBigError, match="no space"):
            Block.create(2_000_000)
        Block.create(500_000).close()


# -- named blocks


def test_a_named_block_is_for_its_user_alone(named: SharedMemory) -> None:
    found = (Path("/dev/shm") / named.name).stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == os.geteuid()


def test_a_name_cannot_be_guessed() -> None:
    made = [create_named(10) for _ in range(20)]
    try:
        tails = {block.name.removeprefix("duck-") for block in made}
        assert len(tails) == 20
        assert all(len(tail) >= 16 for tail in tails)
        assert not any(str(os.getpid()) == tail for tail in tails)
    finally:
        for block in made:
            unlink_named(block)


def test_whoever_attaches_sees_the_same_memory(named: SharedMemory) -> None:
    other = attach_named(named.name)
    try:
        buffer_of(named)[:3] = b"abc"
        assert bytes(buffer_of(other)[:3]) == b"abc"
    finally:
        other.close()


def test_a_named_block_is_unlinked_once() -> None:
    block = create_named(10)
    name = block.name
    unlink_named(block)
    unlink_named(block)
    with pytest.raises(
        KernelGone, match=r"does not exist any more.*Share the object again"
    ):
        attach_named(name)


ATTACH = """
from duck_jupyter.memory.blocks import attach_named
block = attach_named({name!r})
assert bytes(block.buf[:3]) == b"abc"
{end}
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["block.close()", "", "del block"])
def test_an_unrelated_process_that_ends_takes_nothing_with_it(
    named: SharedMemory, end: str
) -> None:
    """
    Before Python 3.13 its resource tracker would unlink the block, and warn.
    """
    buffer_of(named)[:3] = b"abc"
    done = run_python(ATTACH.format(name=named.name, end=end))
    assert (done.returncode, done.stderr) == (0, "")
    assert (Path("/dev/shm") / named.name).exists()
    attach_named(named.name).close()


def test_a_process_that_makes_a_block_leaves_none_and_no_warning() -> None:
    code = (
        "from duck_jupyter.memory.blocks import *\n"
        "block = create_named(100)\nprint(block.name)\nunlink_named(block)\n"
    )
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (Path("/dev/shm") / done.stdout.strip()).exists()


def test_other_blocks_are_tracked_as_ever() -> None:
    """
    Only our own are kept from the tracker.
    """
    code = (
        "from multiprocessing.shared_memory import SharedMemory\n"
        "import duck_jupyter.memory.blocks as b\n"
        "ours = b.create_named(10); b.unlink_named(ours)\n"
        "print(SharedMemory(create=True, size=10).name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "leaked shared_memory" in done.stderr
    assert not (Path("/dev/shm") / done.stdout.strip()).exists()
