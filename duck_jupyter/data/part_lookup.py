"""
Finding the part of a shared object that an array or buffer is, in mapped memory.

A look belongs to one pickle. So the object is dumped once for any number of its parts
in the pickle, and all parts refer to the same handle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..errors import ProxyError
from ..memory.copying import address_of
from ..memory.dirty_tracker import Part
from .consistency import take_apart
from .fetched_versions import find_origin
from .parts import Memory
from .regions import is_array, may_hold

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pickling import Dumped
    from .protocols import InplaceMemory, Published
    from .regions import Region
    from .versions import Version

__all__ = ["InplaceLook", "Look", "Place", "PublishedLook"]

#: A part of up to this size is pickled by value: a handle has the same size.
LEAST_BYTES = 1024
#: For a frame or a table, finding the part takes 0.1 to 0.5 ms, as long as pickling
#: this many bytes.
LEAST_OF_TABLE_BYTES = 32 << 10


class Place(NamedTuple):
    """
    The place of a region in memory that workers can map.
    """

    memory: Memory
    #: Bytes from the start of the memory.
    offset: int
    #: Whether all processes see the writes of a worker.
    inplace: bool


class Look(Protocol):
    """
    Finds the parts of one object, in one pickle.
    """

    #: Whether its memory is the object's own memory.
    inplace: bool
    #: Called with the handles that were given out, 0 or 1, and bytes of a part.
    on_handed: Callable[[int, int], object]

    def place(self, region: Region) -> Place | None:
        """
        Return the place of a region; None if it must be pickled as usual.

        Raises:
            ProxyError: It must not be pickled as usual, and cannot be shared.
        """


class InplaceLook:
    """
    Finds parts of an object that is itself in shared memory.

    Args:
        inplace: The memory.
        target: The object that the name has; it may be another one.
    """

    inplace = True

    def __init__(self, inplace: InplaceMemory, target: Any) -> None:
        self._inplace = inplace
        self._target = target
        self._memory: Memory | None = None
        self._dumped: Dumped | None = None
        self.on_handed: Callable[[int, int], object] = _nothing

    def place(self, region: Region) -> Place | None:
        """
        Return the place of a region; None if it must be pickled as usual.

        Raises:
            NotShareable: It is a part of the object that has left the shared memory.
        """
        offset = self._inplace.offset_of(region.low, region.high)
        if offset is None:
            if may_hold(self._target, region) and self._has_outside(region):
                self._inplace.handle(self._target)  # it raises the error
            return None
        is_first = self._memory is None
        if self._memory is None:
            self._memory = self._inplace.memory()
        if self._memory is None:
            return None
        self.on_handed(int(is_first), region.size)
        return Place(self._memory, offset, inplace=True)

    def _has_outside(self, region: Region) -> bool:
        """
        Return whether the object has a region outside of the shared memory.
        """
        if self._dumped is None:
            self._dumped = take_apart(self._target, self._inplace.name)
        return _find_part(self._dumped, region) is not None


class PublishedLook:
    """
    Finds parts of an object of which workers have private copies.

    Args:
        publication: The versions of the object.
        target: The object.
    """

    inplace = False

    def __init__(self, publication: Published, target: Any) -> None:
        self._publication = publication
        self._target = target
        self._least = LEAST_BYTES if is_array(target) else LEAST_OF_TABLE_BYTES
        self._dumped: Dumped | None = None
        self._memories: dict[bytes, Memory] = {}
        self.on_handed: Callable[[int, int], object] = _nothing

    def place(self, region: Region) -> Place | None:
        """
        Return the place of a region; None if it must be pickled as usual.
        """
        if region.data <= LEAST_BYTES:
            return None
        try:
            return self._publication.at_work(lambda: self._place(region))
        except ProxyError:
            # There may be no space for the whole object. The part is pickled.
            return None

    def _place(self, region: Region) -> Place | None:
        origin = find_origin(region.low, region.high)
        if origin is not None:
            version = self._publication.find(origin.nonce)
            # Writes to a fetched object are in its private pages, and not in the file.
            if version and version.shows(origin.offset, region.low, region.size):
                return self._place_in(version, origin.offset, region)
            return None
        if not may_hold(self._target, region):
            return None
        if self._dumped is None:
            if region.data <= self._least:
                return None
            self._dumped = take_apart(self._target, self._publication.name)
        part = _find_part(self._dumped, region)
        if part is None:
            return None
        version = self._publication.part(self._target, self._dumped, part, region.data)
        if version is None:
            return None
        start = version.start_of(part.number) + part.offset
        return self._place_in(version, start, region)

    def _place_in(self, version: Version, offset: int, region: Region) -> Place:
        memory = self._memories.get(version.nonce)
        self.on_handed(int(memory is None), region.size)
        if memory is None:
            memory = self._memories[version.nonce] = Memory(version.handle())
        return Place(memory, offset, inplace=False)


def _nothing(handles: int, size: int) -> None:
    """
    Nobody counts.
    """


def _find_part(dumped: Dumped, region: Region) -> Part | None:
    """
    Find the buffer that contains a region.
    """
    for number, buffer in enumerate(dumped.buffers):
        offset = region.low - address_of(buffer)
        if offset >= 0 and offset + region.size <= len(buffer):
            return Part(number, offset, region.size)
    return None
