"""
What this project may leave on a machine: blocks of memory and folders of sockets.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil

PREFIX = "duck-"
BLOCK_FOLDER = Path("/dev/shm")


def list_blocks() -> set[Path]:
    """
    List the project's blocks of shared memory on this machine, whoever made them.
    """
    return _ours_in(BLOCK_FOLDER)


def list_folders() -> set[Path]:
    """
    List what the project keeps in the folder for temporary files.

    These are the folders of its sockets, and the blocks that did not fit in memory.
    """
    return _ours_in(Path(tempfile.gettempdir()))


def _ours_in(folder: Path) -> set[Path]:
    # Every test looks, and a glob takes longer.
    with os.scandir(folder) as entries:
        return {folder / one.name for one in entries if one.name.startswith(PREFIX)}


def list_nameless() -> set[str]:
    """
    List the blocks without a name that this process maps.

    A file in memory that never had a name shows as `#` and a number, and one whose
    name was taken away shows that name. One outside of all folders is a `memfd`.
    """
    folders = (str(BLOCK_FOLDER), tempfile.gettempdir())
    marks = ("#", PREFIX)
    starts = (
        f"/memfd:{PREFIX}",
        *(f"{folder}/{mark}" for folder in folders for mark in marks),
    )
    lines = Path("/proc/self/maps").read_text().splitlines()
    # Every test looks at them, twice: there are thousands, and few are taken apart.
    found = (line for line in lines if line.endswith(" (deleted)"))
    # Address, permissions, offset, device and inode stand before the path.
    paths = {line.split(maxsplit=5)[-1] for line in found}
    return {path for path in paths if path.startswith(starts)}


def find_users(path: Path) -> set[int]:
    """
    Find the processes that map a block.
    """
    users = set()
    for process in psutil.process_iter():
        try:
            maps = Path(f"/proc/{process.pid}/maps").read_text()
        except OSError:
            continue
        if f" {path}\n" in maps:
            users.add(process.pid)
    return users
