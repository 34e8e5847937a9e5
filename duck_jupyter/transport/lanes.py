"""
One client thread's lane to the server: a buffer, a few words, and a doorbell.

======================  ========================================================
bytes                   content, and its writer
======================  ========================================================
0 to 4                  the size of the table of an overflow frame; else nothing
4 to 4 + bufsize        the frame's payload; written by the client in state idle, by the
                        server in state taken
words, from the next    state: a sequence number and a phase; the client changes it
multiple of 64 on       idle -> posted, the server posted -> taken -> replied; after
(32 bits each)          an answer with a grant the client changes replied -> idle
                        waiting: 1 while the client blocks until a bell arrives
                        watched: 1 while the server polls this lane only, 2 while it
                        polls others too; 0 while it does not poll it
                        length: bytes of the frame, or OVERFLOW; with GRANT in an
                        answer that the client must acknowledge
                        leaving: 1 when the client's thread has ended
                        offered: size of the buffer that the server offers in a new
                        lane, if a frame was larger than this one's; else 0
then, 64 bits each, in  posted: when the client stopped polling and blocked (monotonic),
seconds, by the client  else 0
                        waited: seconds that the client has waited for all answers
                        took: time of the request before the last one whose number is
                        a multiple of `SAMPLE_EVERY`
                        began: start of the request whose answer the client blocks for
======================  ========================================================

Correctness depends on the doorbell and on the state, never on polling: a side that
blocks sets its word first and then reads the state again. The sequence number
distinguishes a late answer from the awaited one.

A frame that is larger than the buffer, or that has buffers of its own, is in the lane's
overflow area (see `memory.overflow`); the lane's buffer then holds the sizes.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import select
import socket
import struct
import threading
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta
from msgspec.msgpack import Decoder, Encoder

from ..errors import DataDecodeError, DataTooBigError
from ..interrupts import is_of_signal_handler
from ..memory.overflow import Overflow

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Sequence

    from ..memory.blocks import Block

__all__ = ["Lane"]

STATE, WAITING, WATCHED, LENGTH, LEAVING, OFFERED = range(6)
#: Indices in words of 64 bits: after six words of 32 bits.
POSTED_AT, WAITED, TOOK, BEGAN_AT = range(3, 7)
TAIL_BYTES = 64
IDLE, POSTED, TAKEN, REPLIED = range(4)
PHASE = 3
SEQUENCE = 0xFFFF_FFFC
#: The lowest bit of the sequence number; each call adds it.
FIRST_OF_SEQUENCE = PHASE + 1
#: One exchange of this many is timed for the histogram, if its client did not block.
SAMPLE_EVERY = 64
#: Bits of a state that are 0 in one of `SAMPLE_EVERY` calls.
SAMPLED = (SAMPLE_EVERY - 1) * FIRST_OF_SEQUENCE
#: Set in the length of an answer with a grant, such as a lock or an item.
GRANT = 0x8000_0000
#: In place of the length of a frame in the overflow area.
OVERFLOW = 0x7FFF_FFFF

BELL = b"b"
BELLS_AT_ONCE = 64

RING_FLAGS = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)
#: The system's own send, without releasing the interpreter: it never blocks.
_send = ctypes.PyDLL(None).send
_send.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
_send.restype = ctypes.c_ssize_t

pack_size: Callable[[int], bytes] = struct.Struct(">I").pack
encode: Callable[[Any], bytes] = Encoder().encode
#: Decodes the sizes of the parts of a message in the overflow area.
decode_sizes: Callable[[bytes | memoryview], list[int]] = Decoder(
    list[Annotated[int, Meta(ge=0)]]
).decode

#: x86 keeps the order of stores; other machines need a fence between a frame and its
#: state.
NEEDS_FENCE = platform.machine().lower() not in {"x86_64", "amd64", "i386", "i686"}


class Doorbell(socket.socket):
    """
    The socket of a lane, which is closed when the last thread drops the lane.

    Python warns of a socket that is collected while open; for this one it is intended.
    """

    __slots__ = ()

    def __del__(self) -> None:
        self.close()


class Lane:
    """
    One side's end of a lane. One thread at a time may use it; any may `hear`.

    Its descriptors are closed when the lane is dropped. So a thread that holds the lane
    may use them, and their numbers cannot belong to another file meanwhile.

    Args:
        block: The lane's own block, which this end closes.
        bufsize: Size in bytes for one frame, without its size prefix.
        doorbell: This side's end of the socket, which this end closes.
        max_message: The largest message in bytes, inside or outside the buffer.
    """

    __slots__ = (
        "__weakref__",
        "bell",
        "block",
        "bufsize",
        "doorbell",
        "doubles",
        "map",
        "max_message",
        "overflow",
        "words",
    )

    def __init__(
        self, block: Block, bufsize: int, doorbell: socket.socket, max_message: int
    ) -> None:
        self.block: Block = block
        self.map: mmap.mmap = block.map
        self.bufsize: int = bufsize
        doorbell.__class__ = Doorbell
        self.doorbell: socket.socket = doorbell
        #: The bytes that the next ring sends: a client's first bell is its proof.
        self.bell: bytes = BELL
        self.max_message: int = max_message
        tail = lane_bytes(bufsize) - TAIL_BYTES
        view = memoryview(block.map)[tail : tail + TAIL_BYTES]
        self.words: memoryview[int] = view.cast("I")
        self.doubles: memoryview[float] = view.cast("d")
        self.overflow: Overflow = Overflow(block, max_message)

    def fence(self) -> None:
        """
        Order the memory accesses before this call against those after it.

        A release followed by an acquire of a lock is a full fence.
        """
        # A local lock: two threads of a server may be here at once.
        lock = threading.Lock()
        lock.acquire()
        lock.release()
        lock.acquire()

    def put(
        self, data: bytes, buffers: Sequence[Any] = (), *, grant: bool = False
    ) -> None:
        """
        Write a frame; the caller then sets the state.

        Args:
            data: The payload of the frame.
            buffers: The large buffers of the frame, as `pickle.PickleBuffer`.
            grant: Whether the client must acknowledge the answer.

        Raises:
            DataTooBigError: It is larger than `max_message`, or there is no space for
                it.
            ValueError: The lane was closed.
        """
        size = len(data)
        if size <= self.bufsize and not buffers:
            self.map[4 : size + 4] = data
            self.words[LENGTH] = size
        else:
            self._put_in_overflow(data, buffers)
        if grant:
            self.words[LENGTH] |= GRANT
        if NEEDS_FENCE:
            self.fence()

    def take(self) -> tuple[bytes, Sequence[Any]]:
        """
        Return the frame in the lane, and its buffers as writable copies.

        Raises:
            DataDecodeError: The other side wrote sizes that are out of range.
            ValueError: The lane was closed.
        """
        if NEEDS_FENCE:
            self.fence()
        size = self.words[LENGTH]
        if size <= self.bufsize:
            return self.map[4 : size + 4], ()
        return self._take_from_overflow(size)

    def ring(self) -> None:
        """
        Wake the other side. While a bell waits in the socket, another has no effect.

        If the socket is full, the other side has a bell already; if it is broken,
        `hear` reports it.
        """
        # socket.send would release the interpreter. A server that shares it with a cell
        # would get it back half a millisecond later, at the cell's cost.
        bell, self.bell = self.bell, BELL
        _send(self.doorbell.fileno(), bell, len(bell), RING_FLAGS)

    def introduce(self) -> None:
        """
        Send the first bell if it was not sent; a server waits for it a limited time.
        """
        if self.bell is not BELL:
            self.ring()

    def hear(self) -> bool:
        """
        Drain the doorbell, without waiting.

        Returns:
            False if the other side has disconnected.
        """
        try:
            # Read to the end: a bell may hide that the other side disconnected after
            # it, and an edge-triggered selector reports both only once.
            while self.doorbell.recv(BELLS_AT_ONCE, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    @property
    def is_left(self) -> bool:
        """
        Whether the other side has disconnected, even if unread bells came before that.
        """
        events = select.poll()
        events.register(self.doorbell, getattr(select, "POLLRDHUP", select.POLLHUP))
        return bool(events.poll(0))

    def _put_in_overflow(self, data: bytes, buffers: Sequence[Any]) -> None:
        parts = [memoryview(data), *(buffer.raw() for buffer in buffers)]
        note = encode([part.nbytes for part in parts])
        if len(note) > self.bufsize:
            raise DataTooBigError(
                f"A message with {len(parts) - 1} large buffers needs a bufsize of at "
                f"least {len(note)} bytes, not {self.bufsize}."
            )
        self.overflow.write(parts)
        self.map[: len(note) + 4] = pack_size(len(note)) + note
        self.words[LENGTH] = OVERFLOW

    def _take_from_overflow(self, size: int) -> tuple[bytes, Sequence[Any]]:
        try:
            if size != OVERFLOW:
                raise ValueError(f"the frame would take {size} bytes")
            note_size = int.from_bytes(self.map[:4], "big")
            if note_size > self.bufsize:
                raise ValueError(f"its table would take {note_size} bytes")
            return self.overflow.read(decode_sizes(self.map[4 : note_size + 4]))
        except (ValueError, OSError) as error:
            if self.block.closed or is_of_signal_handler(error):
                raise
            raise DataDecodeError(
                f"A lane of {self.bufsize} bytes holds no valid frame: {error}."
            ) from error

    @property
    def bytes(self) -> int:
        """
        The bytes that the system has allocated for both sides.
        """
        return self.block.size + self.overflow.bytes

    def hang_up(self) -> None:
        """
        Disconnect from the other side. Repeated calls do nothing.

        Other threads may still use the lane. It closes when the last one drops it.
        """
        with contextlib.suppress(OSError):
            self.doorbell.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """
        Release this end's memory and socket. Repeated calls do nothing.

        Only for a thread that alone holds the lane; other threads call `hang_up` and
        drop it.
        """
        self.overflow.close()
        self.doorbell.close()
        self.block.close()

    def __del__(self) -> None:
        # If its creation was interrupted, it may have no doorbell yet.
        if hasattr(self, "overflow"):
            self.close()

    def __repr__(self) -> str:
        return f"<Lane fd={self.doorbell.fileno()} bufsize={self.bufsize}>"


def lane_bytes(bufsize: int) -> int:
    """
    Return the size in bytes of the block of a lane.
    """
    return -(-(4 + bufsize) // TAIL_BYTES) * TAIL_BYTES + TAIL_BYTES
