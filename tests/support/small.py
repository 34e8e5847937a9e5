"""
Little room, and real: file systems of a few megabytes for one process and its children.

The process gets a mount namespace of its own, as a container does, and in it a
``/dev/shm`` of its own. Root may do that, and others in a user namespace.
Where neither is allowed, the system refuses in another way: the folder for memory is
one of the kernel's, which has no room whatever, or the size of files is limited.
"""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

from duck_jupyter.memory import folders

__all__ = ["confine", "fill_up"]

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUSER = 0x1000_0000
MS_REC = 0x4000
MS_PRIVATE = 0x4_0000
#: The largest file where no file system can be mounted.
MOST_BYTES = 8 * 2**20
#: A file system of the kernel's own: it is there, and has no room whatever.
NO_ROOM = Path("/proc")

_libc = ctypes.CDLL(None, use_errno=True)


def confine(memory: int, spool: tuple[Path, int] | None = None) -> bool:
    """
    Give this process little shared memory. It has one thread, and goes with its test.

    Args:
        memory: Megabytes of `/dev/shm`.
        spool: A folder and its megabytes, if that one is to be small as well.

    Returns:
        Whether there are file systems of that size; otherwise no room in memory at all,
        or, if the spool folder is to be small, none for a file above 8 MB anywhere.
    """
    places = [(folders.MEMORY_FOLDER, memory)] + ([spool] if spool else [])
    if _own_mounts() and all(_mount(*place) for place in places):
        return True
    if not spool:
        folders.MEMORY_FOLDER = NO_ROOM
    else:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, limit))
    return False


def fill_up(folder: Path) -> None:
    """
    Take all the room that there is in a small file system.
    """
    free = os.statvfs(folder)
    if free.f_bavail:
        fd = os.open(folder / "full", os.O_RDWR | os.O_CREAT, 0o600)
        os.posix_fallocate(fd, 0, free.f_bavail * free.f_frsize)
        os.close(fd)


def _own_mounts() -> bool:
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(CLONE_NEWNS) != 0:
        if _libc.unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0:
            return False
        try:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        except OSError:
            return False
    private = MS_REC | MS_PRIVATE
    return bool(_libc.mount(b"none", b"/", None, private, None) == 0)


def _mount(folder: Path, megabytes: int) -> bool:
    size = f"size={megabytes}m".encode()
    return bool(_libc.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, size) == 0)
