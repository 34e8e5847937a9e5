"""
Frames: whole ones come back, and of anything else an error says what it is.
"""

from __future__ import annotations

import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duck_jupyter.errors import (
    DataDecodeError,
    DataEncodeError,
    DataTooBigError,
    EmptyData,
    KernelGone,
)
from duck_jupyter.memory.blocks import buffer_of, create_named, unlink_named
from duck_jupyter.protocol.manual_frames import parse_from, write_into
from duck_jupyter.proxy import Frame, ProxyOpCode, ProxyServer
from tests.protocol.strategies import alike, plain, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.shared_memory import SharedMemory

BYTES = 400
opcodes = st.sampled_from(list(ProxyOpCode)) | st.integers(-(2**63), 2**63 - 1)
payloads = st.lists(values, max_size=5)


def pack(value: Any) -> bytes:
    return msgspec.msgpack.encode(value)


def buffer(data: bytes = b"", size: int | None = None, room: int = BYTES) -> bytearray:
    """
    Give a buffer that says it holds a frame of a size.
    """
    shown = len(data) if size is None else size
    return bytearray(struct.pack(">I", shown) + data.ljust(room, b"\0"))


@contextmanager
def named(size: int) -> Iterator[SharedMemory]:
    """
    Make a block for frames by hand.
    """
    space = create_named(size)
    try:
        yield space
    finally:
        unlink_named(space)


class Cell:
    """
    An object with one value.
    """

    value: Any = 5


@pytest.mark.slow
@given(opcodes, payloads)
def test_a_frame_is_read_as_it_was_written(opcode: int, payload: list[Any]) -> None:
    space = bytearray(100_000)
    size = write_into(memoryview(space), Frame(opcode, payload))
    frame = parse_from(memoryview(space), timeout=0)

    assert size == int.from_bytes(space[:4], "big")
    assert frame.opcode == opcode
    assert alike(frame.payload, payload)
    assert alike(Frame.parse(bytes(space[4 : 4 + size])).payload, payload)


@given(st.lists(plain.filter(lambda x: type(x) is not int), max_size=3))
def test_a_frame_of_plain_values_is_plain_msgpack(payload: list[Any]) -> None:
    try:
        expected = pack([0, payload])
    except UnicodeEncodeError:
        return  # msgpack has no lone surrogates; that a pickle has, see test_values
    space = bytearray(100_000)
    size = write_into(memoryview(space), Frame(0, payload))
    assert space[4 : 4 + size] == expected


@given(st.binary(max_size=200))
def test_garbage_is_a_frame_or_a_decode_error(data: bytes) -> None:
    with suppress(DataDecodeError):
        frame = Frame.parse(data)
        assert (type(frame.opcode), type(frame.payload)) == (int, list)


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_a_buffer_of_garbage_is_a_frame_or_a_typed_error(
    data: bytes, size: int
) -> None:
    space = memoryview(buffer(data, size))
    try:
        parse_from(space, timeout=0)
    except EmptyData:
        assert size == 0
    except DataTooBigError:
        assert size > BYTES
    except (DataDecodeError, TimeoutError):
        assert 0 < size <= BYTES


@given(opcodes, payloads, st.data())
def test_a_frame_cut_short_is_never_whole(
    opcode: int, payload: list[Any], data: st.DataObject
) -> None:
    space = bytearray(100_000)
    size = write_into(memoryview(space), Frame(opcode, payload))
    kept = data.draw(st.integers(1, size - 1))

    with pytest.raises(DataDecodeError):
        Frame.parse(bytes(space[4 : 4 + kept]))
    with pytest.raises((TimeoutError, DataDecodeError)):
        parse_from(memoryview(buffer(bytes(space[4 : 4 + kept]), room=kept)), 0)


@given(opcodes, payloads, st.binary(min_size=1, max_size=9))
def test_a_frame_with_something_behind_it_is_none(
    opcode: int, payload: list[Any], more: bytes
) -> None:
    space = bytearray(100_000)
    size = write_into(memoryview(space), Frame(opcode, payload))
    with pytest.raises(DataDecodeError):
        Frame.parse(bytes(space[4 : 4 + size]) + more)


@pytest.mark.parametrize(
    "forged",
    [
        5,
        "text",
        None,
        [],
        [1],
        [1, [], 3],
        [1, 2],
        [1, {}],
        [1, "text"],
        ["GET", []],
        [1.0, []],
        [True, []],
        [None, []],
        [[], []],
        {1: []},
        [2**64 - 1, None],
    ],
)
def test_well_formed_msgpack_of_another_form_is_no_frame(forged: Any) -> None:
    with pytest.raises(DataDecodeError, match="frame"):
        Frame.parse(pack(forged))


def test_nesting_without_end_is_no_frame() -> None:
    with pytest.raises(DataDecodeError):
        Frame.parse(b"\x91" * 100_000)
    with pytest.raises(DataDecodeError):
        Frame.parse(b"\xdd\xff\xff\xff\xff")


def test_a_size_of_0_is_empty() -> None:
    with pytest.raises(EmptyData, match="size is 0"):
        parse_from(memoryview(buffer()), timeout=None)


@pytest.mark.parametrize("size", [BYTES + 1, 2**31, 2**32 - 1])
def test_a_size_that_cannot_be_is_too_big(size: int) -> None:
    with pytest.raises(DataTooBigError, match=f"{BYTES} bytes, not {size}"):
        parse_from(memoryview(buffer(pack([0, []]), size)), timeout=None)


def test_a_buffer_without_room_for_a_size_is_a_decode_error() -> None:
    with pytest.raises(DataDecodeError, match="4"):
        parse_from(memoryview(bytearray(3)))


def test_a_frame_that_is_never_whole_is_a_timeout() -> None:
    whole = pack([0, [1, "x" * 50]])
    with pytest.raises(TimeoutError, match=r"not complete within 0\.01 s"):
        parse_from(memoryview(buffer(whole[:20], 20)), timeout=0.01)


def test_a_frame_that_becomes_whole_in_time_is_read() -> None:
    whole = pack([0, [1, "x" * 50]])
    space = buffer(whole[:20], len(whole))
    space[4 + 1] = 0xDD  # a list of so many that the bytes end first
    timer = threading.Timer(0.05, space.__setitem__, (slice(4, 4 + len(whole)), whole))
    timer.start()
    try:
        assert parse_from(memoryview(space), timeout=10).payload == [1, "x" * 50]
    finally:
        timer.join()


def test_a_frame_too_big_for_the_buffer_leaves_it_as_it_was() -> None:
    space = buffer(b"what was there", room=50)
    before = bytes(space)
    with pytest.raises(DataTooBigError, match="larger bufsize"):
        write_into(memoryview(space), Frame(0, ["x" * 100]))
    assert bytes(space) == before


@given(st.integers(0, 60))
def test_a_frame_that_just_fits_is_written(length: int) -> None:
    frame = Frame(0, ["x" * length])
    size = len(pack([0, frame.payload]))
    assert write_into(memoryview(bytearray(4 + size)), frame) == size
    with pytest.raises(DataTooBigError):
        write_into(memoryview(bytearray(3 + size)), frame)


@pytest.mark.parametrize("opcode", ["GET", None, [], 2**70])
def test_an_opcode_that_is_none_is_an_encode_error(opcode: Any) -> None:
    with pytest.raises(DataEncodeError):
        write_into(memoryview(bytearray(BYTES)), Frame(opcode, []))


def test_a_value_that_cannot_be_encoded_leaves_the_buffer_as_it_was() -> None:
    space = buffer(b"what was there")
    before = bytes(space)
    with pytest.raises(DataEncodeError):
        write_into(memoryview(space), Frame(1, [1, "x", (i for i in [1])]))
    assert bytes(space) == before


def test_a_frame_says_what_it_is() -> None:
    frame = Frame(ProxyOpCode.GET, [3, "shape"])
    assert repr(frame) == str(frame)
    assert "[3, 'shape']" in repr(frame)
    assert Frame.__slots__ == ("opcode", "payload")


# -- by hand, in a block of a server


@pytest.fixture
def block(server: ProxyServer) -> Iterator[SharedMemory]:
    space = server.create_proxy(Cell()).get_shared_memory()
    yield space
    space.close()


@pytest.mark.parametrize("side", ["server", "proxy"])
def test_both_sides_read_and_write_frames_alike(
    server: ProxyServer, block: SharedMemory, side: str
) -> None:
    who: Any = server if side == "server" else server.create_proxy(Cell())
    size = who.write_frame(block, Frame(0, [1, "value"]))
    assert who.read_frame(block).payload == [1, "value"]
    assert size == len(pack([0, [1, "value"]]))

    space = buffer_of(block)
    space[:4] = bytes(4)
    with pytest.raises(EmptyData):
        who.read_frame(block)
    space[:4] = b"\xff" * 4
    with pytest.raises(DataTooBigError):
        who.read_frame(block)
    space[:6] = b"\0\0\0\x02\x92\x00"
    with pytest.raises(TimeoutError):
        who.read_frame(block, timeout=0.01)
    space[:6] = b"\0\0\0\x02\xc1\xc1"
    with pytest.raises(DataDecodeError):
        who.read_frame(block)
    with pytest.raises(DataTooBigError):
        who.write_frame(block, Frame(1, [1, "value", "x" * 10_000]))
    with pytest.raises(DataEncodeError):
        who.write_frame(block, Frame(1, [1, "value", threading.Lock()]))


def test_a_frame_is_answered_in_its_own_block(
    server: ProxyServer, block: SharedMemory
) -> None:
    proxy = server.create_proxy(Cell())
    proxy.write_frame(block, Frame(0, [proxy._duck_idx, "value"]))
    server.handle_frame(block, server.read_frame(block))
    answer = proxy.read_frame(block)
    assert (answer.opcode, answer.payload[1:]) == (-1, [5, None])


@pytest.mark.parametrize(
    "payload",
    [[], [[1], "value"], ["1", "value"], [None], [1], [2**80, "value"], [{}, {}], [-1]],
)
def test_a_forged_frame_by_hand_is_answered_with_an_error(
    server: ProxyServer, payload: list[Any]
) -> None:
    with named(4000) as space:
        server.handle_frame(space, Frame(0, payload))
        answer = server.read_frame(space)
    assert answer.opcode == ProxyOpCode.EXECUTION_RESULT
    assert answer.payload[2] is not None


def test_an_answer_too_big_for_the_block_says_so(server: ProxyServer) -> None:
    cell = Cell()
    cell.value = "x" * 100_000
    proxy = server.create_proxy(cell)
    with named(8000) as space:
        server.handle_frame(space, Frame(0, [proxy._duck_idx, "value"]))
        assert b"DataTooBigError" in bytes(buffer_of(space))
    with named(64) as space, pytest.raises(DataTooBigError):
        server.handle_frame(space, Frame(0, [proxy._duck_idx, "value"]))


def test_a_block_that_vanished_with_its_server_is_a_gone_kernel() -> None:
    with ProxyServer() as server:
        proxy = server.create_proxy(Cell())
        proxy.get_shared_memory().close()
    with pytest.raises(KernelGone, match=r"[Ss]hare"):
        proxy.get_shared_memory()
