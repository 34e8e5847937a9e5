"""
Blocks of shared memory: two kinds, and the one place that knows the system's rules.

A `Block` has no name. Its file is unlinked before anything is written, and the other
process gets its descriptor through a socket; so nobody can guess it, and the system
frees it with the last process that maps it, however that process ends.

A named block is `multiprocessing.shared_memory.SharedMemory`, which the module
contract hands out. Python's resource tracker would unlink it as soon as *any*
process that attached to it ends (https://github.com/python/cpython/issues/82300), so
attaching is kept out of the tracker's sight.
"""

from __future__ import annotations

import contextlib
import mmap
import secrets
import threading
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any

from ..errors import KernelGone, ProxyClosed
from .allocation import allocate, growing
from .descriptors import Descriptor
from .folders import NAME_PREFIX
from .leftovers import hold

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Block", "attach_named", "buffer_of", "create_named", "unlink_named"]

_tracker_lock = threading.Lock()


class Block:
    """
    A piece of memory that two processes map, readable by their user alone.

    Its creator passes its descriptor on; each side closes its own. `descriptors`
    has the rule for those who use it.

    Args:
        fd: Descriptor of the file behind it; the block owns it from here on.
        size: Bytes.
    """

    __slots__ = ("__weakref__", "_descriptor", "map", "size")

    def __init__(self, fd: int, size: int) -> None:
        self._descriptor: Descriptor | None = Descriptor(fd)
        self.size = size
        self.map = mmap.mmap(fd, size)

    @classmethod
    def create(cls, size: int) -> Block:
        """
        Make a block, its space allocated before anyone can write to it.

        Writing to space that a full ``/dev/shm`` cannot give would end the process
        with SIGBUS, so where it does not fit there a file in the spool folder takes
        its place (see `room`).

        Args:
            size: Bytes; rounded up to whole pages.

        Raises:
            DataTooBigError: There is no room for it anywhere.
        """
        size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        return cls(allocate(size), size)

    @classmethod
    def create_growing(cls, size: int) -> Block:
        """
        Make a block whose file can grow behind it, and that nobody can shorten.

        Another process that shortened a block would end everybody who touches it with
        SIGBUS. Not every system can prevent that; the others give a block like any.

        Args:
            size: Bytes; rounded up to whole pages. It counts as memory of this
                process, and not of ``/dev/shm``: no place for large data.

        Raises:
            DataTooBigError: There is no room for it anywhere.
        """
        size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        fd = growing(size)
        return cls.create(size) if fd is None else cls(fd, size)

    @classmethod
    def take_over(cls, fds: list[int], size: int) -> Block:
        """
        Map a block whose descriptor came through a socket.

        Args:
            fds: As `Descriptor.take_over` takes them.
            size: Bytes.
        """
        block = cls.__new__(cls)
        block.size = size
        block.map = mmap.mmap(fds[-1], size)
        block._descriptor = Descriptor.take_over(fds)
        return block

    @property
    def closed(self) -> bool:
        """
        The block was closed in this process.
        """
        return self._descriptor is None

    @property
    def descriptor(self) -> Descriptor:
        """
        The descriptor of the file behind the block.

        Raises:
            ValueError: The block was closed.
        """
        if self._descriptor is None:
            raise ValueError("the block was closed")
        return self._descriptor

    def close(self) -> None:
        """
        Give the block up in this process; twice is fine.

        Its memory stays mapped as long as somebody holds the block or a view of it.
        """
        self._descriptor = None

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"fd={self.descriptor.fileno()}"
        return f"<Block {self.size} bytes, {state}>"


@contextlib.contextmanager
def _untracked(ours: str) -> Iterator[None]:
    """
    Keep one named block, and nothing else, from the resource tracker.

    Python 3.13 has ``track=False``. To register and then unregister is wrong before
    it: the tracker keeps one set for the whole tree of processes, so that would take
    away the creator's entry as well.
    """
    with _tracker_lock:
        register, unregister = resource_tracker.register, resource_tracker.unregister

        def skip(original: Any) -> Any:
            def wrapper(name: str, kind: str) -> None:
                if name.removeprefix("/") != ours:
                    original(name, kind)

            return wrapper

        resource_tracker.register = skip(register)
        resource_tracker.unregister = skip(unregister)
        try:
            yield
        finally:
            resource_tracker.register = register
            resource_tracker.unregister = unregister


class NamedBlock(SharedMemory):
    """
    A named block that no process but its maker unlinks, however it was attached to.

    Also one that was pickled, and its copy in another process.

    Args:
        name: Its name.
        create: Make it; otherwise attach to it.
        size: Bytes, if it is made.

    Raises:
        FileNotFoundError: There is none of this name, or not any more.
    """

    def __init__(self, name: str, create: bool = False, size: int = 0) -> None:
        with _untracked(name):
            super().__init__(name, create, size)
        # Who holds it keeps the janitor from it, until it is closed.
        if not hold(self._fd):  # type: ignore[attr-defined]
            self.close()
            raise FileNotFoundError(name)

    def unlink(self) -> None:
        """
        Take its name away.

        Another's block, which somebody else made, is in that one's tracker.
        """
        with _untracked(self.name if self.name.startswith(NAME_PREFIX) else ""):
            super().unlink()


def create_named(size: int) -> SharedMemory:
    """
    Make a block with an unguessable name, mode 0600; its maker unlinks it.
    """
    while True:
        with contextlib.suppress(FileNotFoundError):
            return NamedBlock(NAME_PREFIX + secrets.token_hex(8), True, size)


def attach_named(name: str) -> SharedMemory:
    """
    Attach to a named block of another process.

    Raises:
        KernelGone: There is no block of this name any more.
    """
    try:
        return NamedBlock(name)
    except FileNotFoundError as error:
        raise KernelGone(
            f"The block {name!r} has vanished: the server that made it was stopped, or "
            "its kernel ended. Share the object again and pass the new proxy."
        ) from error


def buffer_of(block: SharedMemory) -> memoryview:
    """
    Give the bytes of a named block.

    Raises:
        ProxyClosed: It was closed in this process.
    """
    buffer = block.buf
    if buffer is None:
        raise ProxyClosed(
            f"The block {block.name!r} was closed in this process; take a new one with "
            "get_shared_memory()."
        )
    return buffer


def unlink_named(block: SharedMemory) -> None:
    """
    Unmap a named block and take its name away; twice is fine.
    """
    with contextlib.suppress(FileNotFoundError):
        block.unlink()
    with contextlib.suppress(BufferError):
        block.close()
