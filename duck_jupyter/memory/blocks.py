"""
Blocks of shared memory: two kinds, and the system's rules for them.

A `Block` has no name. Its file is unlinked before anything is written, and the other
process gets its descriptor through a socket. So nobody can guess its name, and the
system frees it when the last process that maps it ends, however it ends.

A named block is `multiprocessing.shared_memory.SharedMemory`, which the module's
interface returns. Python's resource tracker would unlink it as soon as *any* process
that attached to it ends (https://github.com/python/cpython/issues/82300), so attaching
is hidden from the tracker.
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

    Its creator sends its descriptor to the other side; each side closes its own.
    `descriptors` has the rule for code that uses the number.

    Args:
        fd: Descriptor of its file; the block owns it from here on.
        size: Size in bytes.
    """

    __slots__ = ("__weakref__", "_descriptor", "map", "size")

    def __init__(self, fd: int, size: int) -> None:
        self._descriptor: Descriptor | None = Descriptor(fd)
        self.size: int = size
        self.map: mmap.mmap = mmap.mmap(fd, size)

    @classmethod
    def create(cls, size: int) -> Block:
        """
        Create a block, with its space allocated before anything is written.

        A write to space that a full ``/dev/shm`` cannot provide would end the process
        with SIGBUS. So a block that does not fit there is created in the spool folder
        (see `allocation`).

        Args:
            size: Size in bytes; rounded up to whole pages.

        Raises:
            DataTooBigError: No folder has space for it.
        """
        size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        return cls(allocate(size), size)

    @classmethod
    def create_growing(cls, size: int) -> Block:
        """
        Create a block whose file can grow and that no process can shorten.

        If another process shortened a block, every process that touches it would end
        with SIGBUS. Some systems cannot prevent this; they get an ordinary block.

        Args:
            size: Size in bytes; rounded up to whole pages. It counts as memory of this
                process, not of ``/dev/shm``, so do not use it for large data.

        Raises:
            DataTooBigError: No folder has space for it.
        """
        size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        fd = growing(size)
        return cls.create(size) if fd is None else cls(fd, size)

    @classmethod
    def take_over(cls, fds: list[int], size: int) -> Block:
        """
        Map a block whose descriptor arrived through a socket.

        Args:
            fds: As for `Descriptor.take_over`.
            size: Size in bytes.
        """
        block = cls.__new__(cls)
        block.size = size
        block.map = mmap.mmap(fds[-1], size)
        block._descriptor = Descriptor.take_over(fds)
        return block

    @property
    def closed(self) -> bool:
        """
        Whether the block was closed in this process.
        """
        return self._descriptor is None

    @property
    def descriptor(self) -> Descriptor:
        """
        The descriptor of the block's file.

        Raises:
            ValueError: The block was closed.
        """
        if self._descriptor is None:
            raise ValueError("the block was closed")
        return self._descriptor

    def close(self) -> None:
        """
        Close the block in this process. Repeated calls do nothing.

        Its memory stays mapped as long as the block or a view of it is referenced.
        """
        self._descriptor = None

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"fd={self.descriptor.fileno()}"
        return f"<Block {self.size} bytes, {state}>"


@contextlib.contextmanager
def _untracked(ours: str) -> Iterator[None]:
    """
    Hide one named block, and nothing else, from the resource tracker.

    Python 3.13 has ``track=False``. Before it, registering and then unregistering would
    be wrong: the tracker has one set for the whole tree of processes, so this would
    remove the creator's entry as well.
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
    A named block that only its creator unlinks, however other processes attach to it.

    This also holds for a block that was pickled, and its copy in another process.

    Args:
        name: Its name.
        create: Whether to create it or to attach to it.
        size: Size in bytes of a new block.

    Raises:
        FileNotFoundError: There is no block with this name, or no longer.
    """

    def __init__(self, name: str, create: bool = False, size: int = 0) -> None:
        with _untracked(name):
            super().__init__(name, create, size)
        # Holding it prevents its removal as a left-over, until it is closed.
        if not hold(self._fd):  # type: ignore[attr-defined]
            self.close()
            raise FileNotFoundError(name)

    def unlink(self) -> None:
        """
        Remove its name.

        A block that another process created is in the tracker of that process.
        """
        with _untracked(self.name if self.name.startswith(NAME_PREFIX) else ""):
            super().unlink()


def create_named(size: int) -> SharedMemory:
    """
    Create a block with an unguessable name, mode 0600; its creator unlinks it.
    """
    while True:
        with contextlib.suppress(FileNotFoundError):
            return NamedBlock(NAME_PREFIX + secrets.token_hex(8), True, size)


def attach_named(name: str) -> SharedMemory:
    """
    Attach to a named block of another process.

    Raises:
        KernelGone: There is no block with this name any more.
    """
    try:
        return NamedBlock(name)
    except FileNotFoundError as error:
        raise KernelGone(
            f"The block {name!r} does not exist any more: its server was stopped, or "
            "its kernel ended. Share the object again and pass the new proxy."
        ) from error


def buffer_of(block: SharedMemory) -> memoryview:
    """
    Return the bytes of a named block.

    Raises:
        ProxyClosed: It was closed in this process.
    """
    buffer = block.buf
    if buffer is None:
        raise ProxyClosed(
            f"The block {block.name!r} was closed in this process. Get a new one with "
            "get_shared_memory()."
        )
    return buffer


def unlink_named(block: SharedMemory) -> None:
    """
    Unmap a named block and remove its name. Repeated calls do nothing.
    """
    with contextlib.suppress(FileNotFoundError):
        block.unlink()
    with contextlib.suppress(BufferError):
        block.close()
