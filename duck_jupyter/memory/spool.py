"""
The spool folder: where blocks go, on disk, that do not fit in memory.

There is one ``/dev/shm`` in a process, and so there is one spool folder.
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
#: What was warned of, each once in a process.
_warned: set[Path] = set()


class SpoolWarning(UserWarning):
    """
    Shared memory was too small, so a block went to the spool folder, on disk.

    Where that must not be, turn the warning into an error: nothing is spooled then.
    """


def check_spool(folder: str) -> None:
    """
    Require a spool folder that can be written to; no name is the temporary folder.

    Raises:
        NotShareable: It cannot.
    """
    if not folder:
        return
    try:
        # To do it is the only sure way to know that it can be done.
        os.close(open_nameless(Path(folder).expanduser()))
    except (OSError, ValueError, RuntimeError) as error:
        raise NotShareable(
            "spool_dir is a folder that exists and that you may write to, and "
            f"{folder!r} is not ({error}). Make it first, or leave spool_dir empty "
            f"for the temporary folder, {tempfile.gettempdir()!r}."
        ) from None


def use_spool(folder: str) -> None:
    """
    Choose the spool folder of this process; no name is the temporary folder.

    Raises:
        NotShareable: It cannot be written to; nothing has changed.
    """
    global _spool
    check_spool(folder)
    _spool = Path(folder).expanduser().absolute() if folder else None


def follow_spool(folder: str) -> None:
    """
    Use the spool folder of a server that this process works for.

    One that was chosen here stays, and one that is not to be had here does not count.
    """
    if _spool is None:
        with contextlib.suppress(NotShareable):
            use_spool(folder)


def chosen_spool() -> str:
    """
    Give the spool folder that was chosen, or no name.
    """
    return str(_spool or "")


def spool_folder() -> Path:
    """
    Give the folder for what does not fit in memory.
    """
    return _spool or Path(tempfile.gettempdir())


def spool_place() -> Place:
    """
    Look how much room there is in the spool folder.
    """
    return look_at(spool_folder())


def warn_of_spool(fd: int, size: int, memory: Place, spool: Place) -> None:
    """
    Warn that a block went to the spool folder, once for each full folder.

    Args:
        fd: The descriptor of its file; closed where the warning is an error.
        size: Bytes of the block.
        memory: Where it did not fit.
        spool: Where it went.
    """
    if not memory.folder.is_dir():
        return  # a system without such a folder has lost nothing
    with _lock:
        if memory.folder in _warned:
            return
        _warned.add(memory.folder)
    refusal = f": {memory.refusal}" if memory.refusal else ""
    try:
        warnings.warn(
            f"{memory.folder} has no room for {size:,} bytes ({memory.free:,} of "
            f"{memory.capacity:,} are free{refusal}), so they went to "
            f"{spool.folder}, which may be slower. Give the container more shared "
            f"memory: docker run {size_option(size, memory)}. Another folder is chosen "
            "with DuckJupyter.spool_dir.",
            SpoolWarning,
            stacklevel=2,
        )
    except SpoolWarning:
        os.close(fd)
        raise


def size_option(size: int, memory: Place) -> str:
    """
    Give the option of ``docker run`` that makes room for so many bytes.
    """
    # What is held stays, and the reserve with it.
    megabytes = -(-(memory.used + size + RESERVE_BYTES) // 2**20)
    return f"--shm-size={megabytes}m"
