"""
Where a block goes: memory first, then the spool folder, and never further than that.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import warnings
from pathlib import Path

import pytest

from duck_jupyter.errors import DataTooBigError, NotShareable
from duck_jupyter.memory import folders, spool
from duck_jupyter.memory.allocation import allocate, with_room
from duck_jupyter.memory.folders import RESERVE_BYTES, Place, memory_place
from duck_jupyter.memory.spool import SpoolWarning, spool_folder, spool_place, use_spool

ABSURD = 2**60
#: A file system of the kernel's own: it is there, and has no room whatever.
FULL = Path("/proc")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing was warned of yet, and no spool folder was chosen.
    """
    monkeypatch.setattr(spool, "_warned", set())
    monkeypatch.setattr(spool, "_spool", None)


def folder_of(fd: int) -> Path:
    """
    Tell where a file without a name lies.
    """
    return Path(f"/proc/self/fd/{fd}").readlink().parent


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_block_is_memory_where_there_is_room() -> None:
    fd = with_room(100, lambda fd: None)
    try:
        found = os.fstat(fd)
        assert found.st_dev == Path("/dev/shm").stat().st_dev
        assert (found.st_size, found.st_nlink) == (0, 0)
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)


def test_what_does_not_fit_goes_to_the_spool_folder_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MEMORY_FOLDER", FULL)
    use_spool(str(tmp_path))
    with pytest.warns(SpoolWarning) as seen:
        fd = allocate(5_000_000)
    try:
        assert folder_of(fd) == tmp_path
        assert os.fstat(fd).st_blocks * 512 >= 5_000_000
        assert not list(tmp_path.iterdir())
    finally:
        os.close(fd)
    assert len(seen) == 1
    assert "5,000,000 bytes" in str(seen[0].message)
    assert re.search(r"--shm-size=\d+m", str(seen[0].message))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        os.close(allocate(5_000_000))


def test_the_size_advised_would_have_sufficed() -> None:
    """
    For what is held already, this block, and what is left free for others.
    """
    held, size = 50 * 2**20, 30 * 2**20 + 1
    flag = spool.size_option(size, Place(Path("/dev/shm"), held, 0))
    megabytes = int(re.fullmatch(r"--shm-size=(\d+)m", flag)[1])  # type: ignore[index]
    advised = Place(Path("/dev/shm"), megabytes * 2**20, megabytes * 2**20 - held)
    assert advised.room >= size
    assert megabytes * 2**20 < held + size + RESERVE_BYTES + 2**20


def test_a_place_that_turns_out_to_be_full_is_followed_by_the_next(
    tmp_path: Path,
) -> None:
    """
    A race, a quota or a limit: the writer begins again, with an empty file.
    """
    use_spool(str(tmp_path))
    seen = []

    def write(fd: int) -> None:
        seen.append((folder_of(fd), os.fstat(fd).st_size))
        os.pwrite(fd, b"abc", 0)
        if len(seen) == 1:
            raise OSError(errno.ENOSPC, "full")

    before = descriptors()
    with pytest.warns(SpoolWarning):
        fd = with_room(3, write)
    assert os.pread(fd, 10, 0) == b"abc"
    os.close(fd)
    assert seen == [(Path("/dev/shm"), 0), (tmp_path, 0)]
    assert descriptors() == before


def test_another_failure_of_the_writer_is_its_own() -> None:
    before = descriptors()

    def write(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        with_room(3, write)
    assert descriptors() == before


def test_no_room_anywhere_says_what_was_wanted_and_what_is_free() -> None:
    before = descriptors()
    with pytest.raises(DataTooBigError) as caught:
        with_room(ABSURD, lambda fd: None)
    said = str(caught.value)
    assert f"{ABSURD:,} bytes" in said
    assert re.search(r"free bytes: [\d,]+ in /dev/shm, [\d,]+ in /", said)
    assert "--shm-size=" in said
    assert "DuckJupyter.spool_dir" in said
    assert descriptors() == before


def test_where_the_warning_is_an_error_nothing_is_spooled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folders, "MEMORY_FOLDER", FULL)
    before = descriptors()
    with warnings.catch_warnings():
        warnings.simplefilter("error", SpoolWarning)
        with pytest.raises(SpoolWarning):
            with_room(100, lambda fd: None)
    assert descriptors() == before


def test_a_system_without_shared_memory_is_not_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MEMORY_FOLDER", tmp_path / "missing")
    assert memory_place() == Place(tmp_path / "missing", 0, 0)
    fd = allocate(100)
    assert folder_of(fd) == Path(tempfile.gettempdir())
    os.close(fd)


def test_without_fallocate_the_zeros_are_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    fd = allocate(3 * 2**20 + 5)
    try:
        found = os.fstat(fd)
        assert found.st_size == 3 * 2**20 + 5
        assert found.st_blocks * 512 >= found.st_size
    finally:
        os.close(fd)


def test_some_room_is_left_for_others() -> None:
    small = Place(Path("/x"), 64 * 2**20, 10 * 2**20)
    assert small.room == 6 * 2**20
    large = Place(Path("/x"), 2**40, 2**30)
    assert large.room == 2**30 - RESERVE_BYTES
    assert Place(Path("/x"), 64 * 2**20, 10).room == 0
    assert small.used == 54 * 2**20


def test_the_spool_folder_is_the_temporary_one_unless_chosen(tmp_path: Path) -> None:
    assert spool_folder() == Path(tempfile.gettempdir())
    use_spool(str(tmp_path))
    assert spool_place().folder == tmp_path
    use_spool("")
    assert spool_folder() == Path(tempfile.gettempdir())


def test_a_spool_folder_has_to_exist_and_be_writable(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for wrong in [str(tmp_path / "missing"), str(file), "/proc/self/fdinfo", "\0"]:
        with pytest.raises(NotShareable, match=re.escape(repr(wrong))):
            use_spool(wrong)
        assert spool_folder() == Path(tempfile.gettempdir())
