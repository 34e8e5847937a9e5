"""
One client thread's lane to the server: a buffer, a few words, and a doorbell.

======================  ========================================================
bytes                   what, and who writes it
======================  ========================================================
0 to 4                  the size of the table of an overflow frame; else nothing
4 to 4 + bufsize        the frame's payload; the client writes it while the state is
                        idle, the server while it is taken
words, from the next    state: a sequence number and a phase; the client moves it
multiple of 64 on       idle -> posted, the server posted -> taken -> replied
(32 bits each)          replied -> idle, where the answer was a grant
                        waiting: 1 while the client blocks and wants the bell
                        watched: 1 while the server looks at this lane by itself, 2
                        while it looks at others too; 0 while it does not
                        length: bytes of the frame, or OVERFLOW; with GRANT in an
                        answer that the server takes back unless it is acknowledged
                        leaving: 1 when the client's thread has ended
                        offered: bytes of the buffer that the server would give a new
                        lane, where a frame was larger than this one's; else 0
then, of 64 bits,       posted: when the client gave up looking and blocked (monotonic),
seconds, by the client  else 0
                        waited: how long the client has waited for answers in all
                        took: how long the request before the last one took whose
                        number is a multiple of `SAMPLE_EVERY`
                        began: when the client began to ask, where it blocks
======================  ========================================================

Correctness rests on the doorbell and on the state, never on a look: a side that blocks
says so first and then reads the state again. A sequence number makes a late answer
another answer than the one that is waited for.

A frame that is larger than the buffer, or has buffers of its own, lies in the lane's
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
    from collections.abc import Sequence

    from ..memory.blocks import Block

__all__ = ["Lane"]

STATE, WAITING, WATCHED, LENGTH, LEAVING, OFFERED = range(6)
#: Indices in words of 64 bits: after six words of 32 bits.
POSTED_AT, WAITED, TOOK, BEGAN_AT = range(3, 7)
TAIL_BYTES = 64
IDLE, POSTED, TAKEN, REPLIED = range(4)
PHASE = 3
SEQUENCE = 0xFFFF_FFFC
#: The lowest bit of the sequence number: each call adds it.
FIRST_OF_SEQUENCE = PHASE + 1
#: One exchange in so many is timed for the histogram, where its client did not block.
SAMPLE_EVERY = 64
#: The bits of a state that are 0 in one of so many.
SAMPLED = (SAMPLE_EVERY - 1) * FIRST_OF_SEQUENCE
#: Set in the length of an answer that grants something, such as a lock or an item.
GRANT = 0x8000_0000
#: In place of the length of a frame that lies in the overflow area.
OVERFLOW = 0x7FFF_FFFF

BELL = b"b"
BELLS_AT_ONCE = 64

RING_FLAGS = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)
#: The system's own send, without releasing the interpreter: it never blocks.
_send = ctypes.PyDLL(None).send
_send.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
_send.restype = ctypes.c_ssize_t

pack_size = struct.Struct(">I").pack
encode = Encoder().encode
#: The sizes of the parts of a message that lies in the overflow area.
decode_sizes = Decoder(list[Annotated[int, Meta(ge=0)]]).decode

#: x86 keeps the order of stores; others need a fence between a frame and its state.
NEEDS_FENCE = platform.machine().lower() not in {"x86_64", "amd64", "i386", "i686"}


class Doorbell(socket.socket):
    """
    The socket of a lane, which is closed with the last thread that uses the lane.

    Python warns of a socket that is collected; this one is meant to be.
    """

    __slots__ = ()

    def __del__(self) -> None:
        self.close()


class Lane:
    """
    One side's end of a lane. One thread at a time may use it; any may `hear`.

    Its descriptors are closed when the lane goes, so a thread that has the lane may use
    them, and their numbers cannot be another file's meanwhile.

    Args:
        block: The lane's own block, which this end closes.
        bufsize: Bytes for one frame, without its size prefix.
        doorbell: This side's end of the socket, which this end closes.
        max_message: The largest message in bytes, wherever it lies.
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
        self.block = block
        self.map = block.map
        self.bufsize = bufsize
        doorbell.__class__ = Doorbell
        self.doorbell = doorbell
        #: What is sent when it rings next: a client's first bell is its proof.
        self.bell = BELL
        self.max_message = max_message
        tail = lane_bytes(bufsize) - TAIL_BYTES
        view = memoryview(block.map)[tail : tail + TAIL_BYTES]
        self.words = view.cast("I")
        self.doubles = view.cast("d")
        self.overflow = Overflow(block, max_message)

    def fence(self) -> None:
        """
        Order the memory accesses before against those after.

        A release followed by an acquire of a lock is a full fence.
        """
        # One of its own: two threads of a server may be here at once.
        lock = threading.Lock()
        lock.acquire()
        lock.release()
        lock.acquire()

    def put(
        self, data: bytes, buffers: Sequence[Any] = (), *, grant: bool = False
    ) -> None:
        """
        Write a frame; the state says afterwards that it is there.

        Args:
            data: The payload of the frame.
            buffers: Large buffers that belong to it, as `pickle.PickleBuffer`.
            grant: It is an answer that the server wants to be acknowledged.

        Raises:
            DataTooBigError: It is larger than `max_message`, or there is no room.
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
        Give the frame that lies here, and its buffers as writable copies.

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
        Wake the other side; a bell that is not heard yet need not ring twice.

        Where the socket is full the other side will hear, and where it is broken
        `hear` says so.
        """
        # socket.send would give the interpreter away, and a server that shares it with
        # a cell would get it back half a millisecond later, at the cell's cost.
        bell, self.bell = self.bell, BELL
        _send(self.doorbell.fileno(), bell, len(bell), RING_FLAGS)

    def introduce(self) -> None:
        """
        Ring for the first time, if it has not rung: a server does not wait for it long.
        """
        if self.bell is not BELL:
            self.ring()

    def hear(self) -> bool:
        """
        Take what came through the doorbell, without waiting.

        Returns:
            False when the other side has disconnected.
        """
        try:
            # On to the end: a bell may hide that the other side disconnected after it,
            # and an edge-triggered selector reports both only once.
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
        The other side has disconnected, whatever bells came before that.
        """
        events = select.poll()
        events.register(self.doorbell, getattr(select, "POLLRDHUP", select.POLLHUP))
        return bool(events.poll(0))

    def _put_in_overflow(self, data: bytes, buffers: Sequence[Any]) -> None:
        parts = [memoryview(data), *(buffer.raw() for buffer in buffers)]
        note = encode([part.nbytes for part in parts])
        if len(note) > self.bufsize:
            raise DataTooBigError(
                f"A message with {len(parts) - 1} large buffers does not fit a lane "
                f"with a bufsize of {self.bufsize} bytes; {len(note)} would do."
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
        What the system has allocated for both sides, in bytes.
        """
        return self.block.size + self.overflow.bytes

    def hang_up(self) -> None:
        """
        Tell the other side that this end is done; twice is fine.

        Other threads may still use the lane. It closes when the last one drops it.
        """
        with contextlib.suppress(OSError):
            self.doorbell.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """
        Give back this end's memory and socket; twice is fine.

        Only for a thread that has the lane alone; the others `hang_up` and drop it.
        """
        self.overflow.close()
        self.doorbell.close()
        self.block.close()

    def __del__(self) -> None:
        # One whose making was interrupted may have no doorbell yet.
        if hasattr(self, "overflow"):
            self.close()

    def __repr__(self) -> str:
        return f"<Lane fd={self.doorbell.fileno()} bufsize={self.bufsize}>"


def lane_bytes(bufsize: int) -> int:
    """
    Give the size in bytes of the block of a lane.
    """
    return -(-(4 + bufsize) // TAIL_BYTES) * TAIL_BYTES + TAIL_BYTES
