"""
The spool folder: holds, on disk, the blocks that do not fit in memory.

A process has one ``/dev/shm``, and so it has one spool folder.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotShareable
from .folders import RESERVE_BYTES, look_at, open_nameless

if TYPE_CHECKING:
    from .folders import Place

__all__ = [
    "SpoolWarning",
    "check_spool",
    "chosen_spool",
    "follow_spool",
    "size_option",
    "spool_folder",
    "spool_place",
    "use_spool",
    "warn_of_spool",
]

_spool: Path | None = None
_lock = threading.Lock()
#: The folders that a warning named; each is named once in a process.
_warned: set[Path] = set()


class SpoolWarning(UserWarning):
    """
    Shared memory was too small, so a block was written to the spool folder, on disk.

    To forbid this, turn the warning into an error: then nothing is spooled.
    """


def check_spool(folder: str) -> None:
    """
    Require a spool folder that can be written to; "" is the temporary folder.

    Raises:
        NotShareable: It cannot be written to.
    """
    if not folder:
        return
    try:
        # Creating a file is the only reliable check.
        os.close(open_nameless(Path(folder).expanduser()))
    except (OSError, ValueError, RuntimeError) as error:
        raise NotShareable(
            "spool_dir must be an existing folder that you may write to, not "
            f"{folder!r} ({error}). Create the folder first, or leave spool_dir empty "
            f"to use the temporary folder, {tempfile.gettempdir()!r}."
        ) from None


def use_spool(folder: str) -> None:
    """
    Set the spool folder of this process; "" is the temporary folder.

    Raises:
        NotShareable: It cannot be written to; nothing changed.
    """
    global _spool
    check_spool(folder)
    _spool = Path(folder).expanduser().absolute() if folder else None


def follow_spool(folder: str) -> None:
    """
    Use the spool folder of a server that this process works for.

    A folder that was set in this process stays. A folder that cannot be used here is
    ignored.
    """
    if _spool is None:
        with contextlib.suppress(NotShareable):
            use_spool(folder)


def chosen_spool() -> str:
    """
    Return the spool folder that was set, or "".
    """
    return str(_spool or "")


def spool_folder() -> Path:
    """
    Return the folder for blocks that do not fit in memory.
    """
    return _spool or Path(tempfile.gettempdir())


def spool_place() -> Place:
    """
    Return the free space of the spool folder.
    """
    return look_at(spool_folder())


def warn_of_spool(fd: int, size: int, memory: Place, spool: Place) -> None:
    """
    Warn that a block was written to the spool folder, once for each full folder.

    Args:
        fd: The descriptor of its file; closed if the warning is an error.
        size: Bytes of the block.
        memory: The folder that was full.
        spool: The folder of the block.
    """
    if not memory.folder.is_dir():
        return  # a system without such a folder loses nothing
    with _lock:
        if memory.folder in _warned:
            return
        _warned.add(memory.folder)
    refusal = f": {memory.refusal}" if memory.refusal else ""
    try:
        warnings.warn(
            f"{memory.folder} has no space for {size:,} bytes ({memory.free:,} of "
            f"{memory.capacity:,} are free{refusal}), so they were written to "
            f"{spool.folder}, which may be slower. For more shared memory, start the "
            f"container with docker run {size_option(size, memory)}. To use another "
            "folder, set DuckJupyter.spool_dir.",
            SpoolWarning,
            stacklevel=2,
        )
    except SpoolWarning:
        os.close(fd)
        raise


def size_option(size: int, memory: Place) -> str:
    """
    Return the option of ``docker run`` that provides space for this many bytes.
    """
    # The used space stays used, and the reserve stays free.
    megabytes = -(-(memory.used + size + RESERVE_BYTES) // 2**20)
    return f"--shm-size={megabytes}m"
