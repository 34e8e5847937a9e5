"""
Which processes map a file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .files import FileKey

__all__ = ["mapped_by"]


def mapped_by(
    takers: Mapping[FileKey, Iterable[int]],
) -> dict[FileKey, set[int]]:
    """
    Tell which of some processes map which of some files.

    A mapping that a process keeps to use it again counts. Each process is asked once,
    which takes some tenths of a millisecond.

    Args:
        takers: The files, and for each the processes that may map it.
    """
    maps = {pid: _maps_of(pid) for pids in takers.values() for pid in pids}
    return {
        key: {pid for pid in pids if _line_of(key) in maps[pid]}
        for key, pids in takers.items()
    }


def _line_of(key: FileKey) -> str:
    device = f"{os.major(key.device):02x}:{os.minor(key.device):02x}"
    return f" {device} {key.inode} "


def _maps_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/maps").read_text(errors="replace")
    except OSError:
        return ""  # it has ended, or is no process of ours
