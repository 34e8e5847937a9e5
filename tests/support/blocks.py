"""
What this project may leave on a machine: blocks of memory and folders of sockets.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import psutil

PREFIX = "duck-"
BLOCK_FOLDER = Path("/dev/shm")


def list_blocks() -> set[Path]:
    """
    List the project's blocks of shared memory on this machine, whoever made them.
    """
    return set(BLOCK_FOLDER.glob(f"{PREFIX}*"))


def list_folders() -> set[Path]:
    """
    List what the project keeps in the folder for temporary files.

    These are the folders of its sockets, and the blocks that did not fit in memory.
    """
    return set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))


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
