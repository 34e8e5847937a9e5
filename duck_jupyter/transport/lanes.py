"""
One client thread's lane to the server: a buffer, a few words, and a doorbell.

======================  ========================================================
bytes                   what, and who writes it
======================  ========================================================
0 to 4 + bufsize        the frame, as `protocol.frames` lays it out; the client
                        while the state is idle, the server while it is taken
words, from the next    state: a sequence number and a phase; the client moves it
multiple of 64 on       idle -> posted, the server posted -> taken -> replied
(32 bits each)          waiting: 1 while the client blocks and wants the bell
                        watched: how many lanes the server looks at by itself, this
                        one among them; 0 while it does not look at this one
                        length: bytes of the frame, or BESIDE
then, 64 bits           posted: when the client gave up looking (monotonic seconds)
======================  ========================================================

Correctness rests on the doorbell and on the state, never on a look: whoever blocks
says so first and then reads the state again. A sequence number makes a late answer
another answer than the one that is waited for.

A frame that is larger than the buffer, or has buffers of its own, lies beside it in a
`Block` of the sender, whose descriptor goes through the doorbell once and which is
used again; the lane's buffer then holds the sizes.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Decoder, Encoder

from ..errors import DataDecodeError, DataTooBigError
from ..memory.blocks import Block

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Lane"]

STATE, WAITING, WATCHED, LENGTH = range(4)
POSTED_AT = 2  # index in 64-bit words: after four words of 32 bits
TAIL_BYTES = 64
IDLE, POSTED, TAKEN, REPLIED = range(4)
PHASE = 3
SEQUENCE = 0xFFFF_FFFC
#: The lowest bit of the sequence number: each call adds it.
FIRST_OF_SEQUENCE = PHASE + 1
BESIDE = 0xFFFF_FFFF

BELL = b"b"
BLOCK = b"B"
BELLS_AT_ONCE = 64
ROOM_FOR_FDS = socket.CMSG_LEN(8 * struct.calcsize("i"))
ALIGN = 64
KEEP_BYTES = 8 * 1024 * 1024
LEAST_BESIDE_BYTES = 64 * 1024

RING_FLAGS = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)
#: The system's own send, without releasing the interpreter: it never blocks.
_send = ctypes.PyDLL(None).send
_send.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
_send.restype = ctypes.c_ssize_t

pack_size = struct.Struct(">I").pack
encode = Encoder().encode
decode_sizes = Decoder(tuple[int, list[int]]).decode

#: x86 keeps the order of stores; others need a fence between a frame and its state.
NEEDS_FENCE = platform.machine().lower() not in {"x86_64", "amd64", "i386", "i686"}


class Lane:
    """
    One side's end of a lane. One thread at a time may use it; any may `hear`.

    Args:
        block: The lane's own block, which this end closes.
        bufsize: Bytes for one frame, without its size prefix.
        doorbell: This side's end of the socket, which this end closes.
        max_message: The largest message in bytes, wherever it lies.
    """

    __slots__ = (
        "__weakref__",
        "_arrived",
        "_hearing",
        "_incoming",
        "_outgoing",
        "block",
        "bufsize",
        "doorbell",
        "doubles",
        "map",
        "max_message",
        "words",
    )

    def __init__(
        self, block: Block, bufsize: int, doorbell: socket.socket, max_message: int
    ) -> None:
        self.block = block
        self.map = block.map
        self.bufsize = bufsize
        self.doorbell = doorbell
        self.max_message = max_message
        tail = lane_bytes(bufsize) - TAIL_BYTES
        view = memoryview(block.map)[tail : tail + TAIL_BYTES]
        self.words = view.cast("I")
        self.doubles = view.cast("d")
        self._outgoing: Block | None = None
        self._incoming: Block | None = None
        self._arrived: deque[int] = deque()
        self._hearing = threading.Lock()

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

    def put(self, data: bytes, buffers: Sequence[Any] = ()) -> None:
        """
        Lay a frame down; the state says afterwards that it is there.

        Args:
            data: The payload of the frame.
            buffers: Large buffers that belong to it, as `pickle.PickleBuffer`.

        Raises:
            DataTooBigError: It is larger than `max_message`, or there is no room.
        """
        size = len(data)
        if size <= self.bufsize and not buffers:
            self.map[: size + 4] = pack_size(size) + data
            self.words[LENGTH] = size
        else:
            self._put_beside(data, buffers)
        if NEEDS_FENCE:
            self.fence()

    def take(self) -> tuple[bytes, Sequence[Any]]:
        """
        Give the frame that lies here, and its buffers as writable copies.

        Raises:
            DataDecodeError: The other side wrote sizes that cannot be.
        """
        if NEEDS_FENCE:
            self.fence()
        size = self.words[LENGTH]
        if size <= self.bufsize:
            return self.map[4 : size + 4], ()
        return self._take_beside(size)

    def ring(self) -> None:
        """
        Wake the other side; a bell that is not heard yet need not ring twice.

        Where the socket is full the other side will hear, and where it is broken
        `hear` says so.
        """
        # socket.send would give the interpreter away, and a server that shares it with
        # a cell would get it back half a millisecond later, at the cell's cost.
        _send(self.doorbell.fileno(), BELL, 1, RING_FLAGS)

    def hear(self) -> bool:
        """
        Take what came through the doorbell, without waiting.

        Returns:
            False when the other side is gone.
        """
        # Whoever comes second must find the descriptors that the first one received.
        with self._hearing:
            return self._hear()

    def _hear(self) -> bool:
        try:
            while True:
                # socket.recv_fds would lose the flag.
                data, beside, _, _ = self.doorbell.recvmsg(
                    BELLS_AT_ONCE, ROOM_FOR_FDS, socket.MSG_DONTWAIT
                )
                for _, _, packed in beside:
                    self._arrived.extend(struct.unpack(f"{len(packed) // 4}i", packed))
                    # Only the last one counts, and a flood of them must not use up
                    # this process's descriptors.
                    while len(self._arrived) > 1:
                        os.close(self._arrived.popleft())
                # On to the end: a bell may hide that the other side went after it,
                # and who waits for edges is told of both only once.
                if not data:
                    return False
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _put_beside(self, data: bytes, buffers: Sequence[Any]) -> None:
        parts = [memoryview(data), *(buffer.raw() for buffer in buffers)]
        sizes = [part.nbytes for part in parts]
        total = sum(-(-size // ALIGN) * ALIGN for size in sizes)
        if total > self.max_message:
            raise DataTooBigError(
                f"This message takes {total:,} bytes, and the limit is "
                f"{self.max_message:,} (max_message). Nothing was sent. Send it in "
                "parts, or raise the limit of the server."
            )
        note = encode((total, sizes))
        if len(note) > self.bufsize:
            raise DataTooBigError(
                f"A message with {len(sizes) - 1} large buffers does not fit a lane "
                f"with a bufsize of {self.bufsize} bytes; {len(note)} would do."
            )
        block = self._outgoing
        if block is None or block.size < total:
            if block is not None:
                block.close()
                # Without room for another one, the next frame makes its own.
                self._outgoing = None
            roomy = max(LEAST_BESIDE_BYTES, 1 << (total - 1).bit_length())
            # One that is kept may fit the next message too.
            block = Block.create(roomy if roomy <= KEEP_BYTES else total)
            # Blocking: the other side hears before it takes.
            socket.send_fds(self.doorbell, [BLOCK], [block.fd])
            self._outgoing = block
        start = 0
        for part, size in zip(parts, sizes, strict=True):
            # Not through the mapping: a client can shorten this block, unlike its lane.
            block.write(part, start)
            start += -(-size // ALIGN) * ALIGN
        self.map[: len(note) + 4] = pack_size(len(note)) + note
        self.words[LENGTH] = BESIDE
        if block.size > KEEP_BYTES:
            # The other side has its descriptor; the next frame gets a new block.
            block.close()
            self._outgoing = None

    def _take_beside(self, size: int) -> tuple[bytes, Sequence[Any]]:
        try:
            if size != BESIDE:
                raise ValueError(f"the frame would take {size} bytes")
            note_size = int.from_bytes(self.map[:4], "big")
            if note_size > self.bufsize:
                raise ValueError(f"its table would take {note_size} bytes")
            total, sizes = decode_sizes(self.map[4 : note_size + 4])
            self.hear()
            while self._arrived:
                fd = self._arrived.popleft()
                if self._incoming is not None:
                    self._incoming.close()
                self._incoming = Block(fd, os.fstat(fd).st_size)
            block = self._incoming
            needed = sum(-(-part // ALIGN) * ALIGN for part in sizes)
            if block is None or min(sizes, default=-1) < 0 or needed > block.size:
                raise ValueError(f"it says {total} bytes in {sizes}")
            parts: list[Any] = []
            start = 0
            for part in sizes:
                parts.append(bytearray(part))
                block.read_into(memoryview(parts[-1]), start)
                start += -(-part // ALIGN) * ALIGN
        except (ValueError, OSError, EOFError) as error:
            raise DataDecodeError(
                f"A lane of {self.bufsize} bytes holds no frame that can be: {error}."
            ) from error
        if block.size > KEEP_BYTES:
            block.close()
            self._incoming = None
        return bytes(parts[0]), parts[1:]

    @property
    def beside(self) -> list[int]:
        """
        The sizes in bytes of the blocks beside the lane that are kept at this end.
        """
        blocks = (self._outgoing, self._incoming)
        return [block.size for block in blocks if block is not None]

    def close(self) -> None:
        """
        Give back this end's memory and socket; twice is fine.
        """
        for block in (self._outgoing, self._incoming):
            if block is not None:
                block.close()
        while self._arrived:
            os.close(self._arrived.popleft())
        self.doorbell.close()
        # Views stay: a thread that still looks at the words must not fail.
        self.block.close()

    def __repr__(self) -> str:
        return f"<Lane fd={self.doorbell.fileno()} bufsize={self.bufsize}>"


def lane_bytes(bufsize: int) -> int:
    """
    Give the size in bytes of the block of a lane.
    """
    return -(-(4 + bufsize) // TAIL_BYTES) * TAIL_BYTES + TAIL_BYTES
