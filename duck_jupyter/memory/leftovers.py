"""
What processes that were killed left behind: whose it is, and taking it away.

Most of what this project makes has no name, and so goes with its last user. What has
a name, the blocks of frames by hand and the folders of sockets, is locked by each
process that uses it (``flock``, shared). The system drops a lock with its process,
however that ends; so whatever can be locked exclusively is in nobody's use, in no
container that shares the folder, and no number of a process has to be trusted.

====================  ===============================================================
who makes a name      makes it, locks it, and looks whether it is still there: a sweep
                      may have come between, and then it makes another one
who attaches          locks it, and looks whether it is still there
who sweeps            locks it exclusively and without waiting, removes it, unlocks it
====================  ===============================================================

A forked child has its parent's lock, because it has its parent's memory. So a block
stays as long as a worker that could use it; what a child cannot use it gives up.
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

#: The one thing in a folder of ours.
SOCKET_NAME = "s"
BLOCK = "block"
FOLDER = "socket folder"
#: What we name, and nothing else: people have files that begin with "duck-" too.
_BLOCK_NAME = re.compile(rf"{folders.NAME_PREFIX}[0-9a-f]{{16}}")
_FOLDER_NAME = re.compile(rf"{folders.NAME_PREFIX}(\d+)-\w{{8}}")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Leftover(NamedTuple):
    """
    Something with a name that no living process uses.
    """

    path: Path
    #: ``"block"`` or ``"socket folder"``.
    kind: str
    #: What it takes.
    bytes: int
    #: Seconds since it was last written to.
    age: float
    #: Of the process that made it, where the name tells; in that one's container.
    pid: int | None


def folder_prefix() -> str:
    """
    Give what the name of a folder of this process begins with.
    """
    return f"{folders.NAME_PREFIX}{os.getpid()}-"


def hold(fd: int) -> bool:
    """
    Say that this process uses what the descriptor stands for, until it is closed.

    Returns:
        Whether it still has a name; where not, it was swept up.
    """
    with contextlib.suppress(OSError):  # some file systems have no locks
        fcntl.flock(fd, fcntl.LOCK_SH)
    return os.fstat(fd).st_nlink > 0


def find_leftovers() -> list[Leftover]:
    """
    List what this user's processes that are no more have left.
    """
    found = []
    for path in _candidates():
        with _unused(path) as fd:
            if fd is not None:
                found.append(_describe(path, fd))
    return found


def remove(leftover: Leftover) -> bool:
    """
    Remove something, unless it is in use or gone by now.

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
    Remove a folder of ours, its socket with it, and nothing that others put there.

    Args:
        folder: Its path.
        fd: A descriptor of it.

    Raises:
        OSError: It is gone, or there is something else in it.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET_NAME, dir_fd=fd)
    folder.rmdir()


def sweep() -> list[Leftover]:
    """
    Remove all that was left, and give it.
    """
    return [leftover for leftover in find_leftovers() if remove(leftover)]


def _candidates() -> list[Path]:
    """
    List what has a name as we give them.
    """
    temporary = {spool.spool_folder(), Path(tempfile.gettempdir()), Path("/tmp")}
    found = []
    for folder in {folders.MEMORY_FOLDER, *temporary}:
        with contextlib.suppress(OSError):
            found += [
                Path(entry.path)
                for entry in os.scandir(folder)
                if _FOLDER_NAME.fullmatch(entry.name)
                or _BLOCK_NAME.fullmatch(entry.name)
            ]
    return sorted(found)


@contextlib.contextmanager
def _unused(path: Path) -> Iterator[int | None]:
    """
    Keep everybody from using something for a moment, if nobody uses it.

    Returns:
        A descriptor of it, or None where it is in use, gone, or not ours.
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
        # In so many words: a child that was forked just now has the lock as well.
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
