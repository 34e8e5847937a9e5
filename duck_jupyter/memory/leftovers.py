"""
The left-overs of killed processes: finding their owner, and removing them.

Most files of this project have no name, so they are freed with their last user. Files
with a name, which are the blocks of manual frames and the folders of sockets, are
locked by each process that uses them (``flock``, shared). The system releases a lock
when its process ends, however it ends. So if a file can be locked exclusively, no
process uses it, in any container that shares the folder, and no process number must be
trusted.

====================  ===============================================================
the creator           creates a name, locks it, and checks that it still exists: a sweep
                      may have removed it, and then the creator makes another one
a process attaching   locks it, and checks that it still exists
a sweep               locks it exclusively and without waiting, removes it, unlocks it
====================  ===============================================================

A forked child has its parent's lock, because it has its parent's memory. So a block
stays as long as a worker could use it. A child closes what it cannot use.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import folders, spool

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "SOCKET_NAME",
    "Leftover",
    "find_leftovers",
    "folder_prefix",
    "hold",
    "remove",
    "remove_folder",
    "sweep",
]

#: The only entry in a folder of ours.
SOCKET_NAME = "s"
BLOCK = "block"
FOLDER = "socket folder"
#: Our names, and no others: users have files that begin with "duck-" too.
_BLOCK_NAME = re.compile(rf"{folders.NAME_PREFIX}[0-9a-f]{{16}}")
_FOLDER_NAME = re.compile(rf"{folders.NAME_PREFIX}(\d+)-\w{{8}}")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Leftover(NamedTuple):
    """
    A file or folder with a name that no living process uses.
    """

    path: Path
    #: ``"block"`` or ``"socket folder"``.
    kind: str
    #: Its size.
    bytes: int
    #: Seconds since the last write.
    age: float
    #: The process that made it, if the name tells; as numbered in its container.
    pid: int | None


def folder_prefix() -> str:
    """
    Return the prefix of the names of this process's folders.
    """
    return f"{folders.NAME_PREFIX}{os.getpid()}-"


def hold(fd: int) -> bool:
    """
    Lock a file for use by this process, until its descriptor is closed.

    Returns:
        Whether it still has a name; otherwise a sweep has removed it.
    """
    with contextlib.suppress(OSError):  # some file systems have no locks
        fcntl.flock(fd, fcntl.LOCK_SH)
    return os.fstat(fd).st_nlink > 0


def find_leftovers() -> list[Leftover]:
    """
    List the left-overs of this user's ended processes.
    """
    found = []
    for path in _candidates():
        with _unused(path) as fd:
            if fd is not None:
                found.append(_describe(path, fd))
    return found


def remove(leftover: Leftover) -> bool:
    """
    Remove a left-over, unless it is in use or already removed.

    Returns:
        Whether it was removed.
    """
    with _unused(leftover.path) as fd, contextlib.suppress(OSError):
        if fd is not None:
            if leftover.kind == FOLDER:
                remove_folder(leftover.path, fd)
            else:
                leftover.path.unlink()
            return True
    return False


def remove_folder(folder: Path, fd: int) -> None:
    """
    Remove a folder of ours with its socket, but no files of others.

    Args:
        folder: Its path.
        fd: A descriptor of it.

    Raises:
        OSError: It does not exist any more, or has other entries.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET_NAME, dir_fd=fd)
    folder.rmdir()


def sweep() -> list[Leftover]:
    """
    Remove all left-overs, and return them.
    """
    return [leftover for leftover in find_leftovers() if remove(leftover)]


def _candidates() -> list[Path]:
    """
    List the paths whose names have our form.
    """
    temporary = {spool.spool_folder(), Path(tempfile.gettempdir()), Path("/tmp")}
    found = []
    for folder in {folders.MEMORY_FOLDER, *temporary}:
        with contextlib.suppress(OSError):
            found += [
                Path(entry.path)
                for entry in os.scandir(folder)
                # Most names in a temporary folder do not begin like ours.
                if entry.name.startswith(folders.NAME_PREFIX)
                and (
                    _FOLDER_NAME.fullmatch(entry.name)
                    or _BLOCK_NAME.fullmatch(entry.name)
                )
            ]
    return sorted(found)


@contextlib.contextmanager
def _unused(path: Path) -> Iterator[int | None]:
    """
    Lock a left-over for a moment, if no process uses it.

    Returns:
        A descriptor of it, or None if it is in use, already removed, or not ours.
    """
    try:
        fd = os.open(path, _OPEN)
    except OSError:
        yield None
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found, named = os.fstat(fd), os.lstat(path)
        kind = stat.S_ISDIR if _FOLDER_NAME.fullmatch(path.name) else stat.S_ISREG
        is_ours = found.st_uid == os.geteuid() and kind(found.st_mode)
        is_same = (found.st_dev, found.st_ino) == (named.st_dev, named.st_ino)
    except OSError:
        is_ours = is_same = False
    try:
        yield fd if is_ours and is_same else None
    finally:
        # Unlock explicitly: a child that was forked meanwhile has the lock as well.
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _describe(path: Path, fd: int) -> Leftover:
    found = os.fstat(fd)
    name = _FOLDER_NAME.fullmatch(path.name)
    return Leftover(
        path,
        FOLDER if name else BLOCK,
        found.st_blocks * 512,
        max(0.0, time.time() - found.st_mtime),
        int(name[1]) if name else None,
    )
