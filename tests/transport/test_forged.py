"""
A client that keeps no rules gets a typed error, and nobody else notices.
"""

from __future__ import annotations

import os
import pickle
import struct
import tempfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.msgpack import Ext, encode

from duck_jupyter.client.locking import locked
from duck_jupyter.errors import (
    DataDecodeError,
    ProxyError,
    ProxyObjectNotFound,
    ProxyTimeout,
)
from duck_jupyter.transport.lanes import BEGAN_AT, OVERFLOW, POSTED_AT, STATE, WATCHED
from tests.protocol.strategies import values
from tests.support.processes import wait_until
from tests.support.raw import RawClient, far
from tests.support.strangers import doorway_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.proxy import ProxyServer

GET, SET, EXECUTE = 0, 1, 2
DESK = 0


class Target:
    """
    What the good client uses while the bad one does what it does.
    """

    def __init__(self) -> None:
        self.value = 1
        self.inside = threading.Event()
        self.go_on = threading.Event()

    def wait(self) -> str:
        self.inside.set()
        assert self.go_on.wait(20)
        return "done"


class Evil:
    """
    Whatever is asked of it fails.
    """

    def fail(self, *_: object) -> Any:
        raise ValueError("asked")

    __eq__ = __hash__ = __str__ = __repr__ = __bool__ = fail


class MakesEvil:
    """
    A pickle that becomes `Evil` where it is loaded.
    """

    def __reduce__(self) -> Any:
        return Evil, ()


EVIL = Ext(1, pickle.dumps(MakesEvil()))


class Scene:
    """
    A server, an object, its number, and a good client of it.
    """

    def __init__(self, server: ProxyServer, good: Any, target: Target) -> None:
        self.server = server
        self.proxy = server.create_proxy(target)
        self.good = good
        self.target = target
        self.idx = good._duck_idx

    def assert_well(self) -> None:
        """
        Check that the good client is served as ever, and no thread has failed.
        """
        assert self.good.value == self.target.value


@pytest.fixture
def scene(server: ProxyServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    failed: list[str] = []
    monkeypatch.setattr(
        threading,
        "excepthook",
        lambda args: failed.append(f"{args.thread.name}: {args.exc_value!r}"),
    )
    target = Target()
    with far(server.create_proxy(target)) as good:
        scene = Scene(server, good, target)
        scene.assert_well()
        yield scene
        scene.assert_well()
    server.close()
    assert failed == []


FORGED: dict[str, tuple[Any, Any]] = {
    "no payload": (GET, []),
    "a number as payload": (GET, 5),
    "a dict as payload": (GET, {"a": 1}),
    "text as payload": (GET, "abc"),
    "GET without a name": (GET, ["idx"]),
    "GET with too much": (GET, ["idx", "value", 1]),
    "SET without a value": (SET, ["idx", "value"]),
    "EXECUTE without a name": (EXECUTE, ["idx"]),
    "EXECUTE without arguments": (EXECUTE, ["idx", "wait"]),
    "EXECUTE with a number as arguments": (EXECUTE, ["idx", "wait", 5, {}]),
    "EXECUTE with a list for keywords": (EXECUTE, ["idx", "wait", [], [1]]),
    "EXECUTE with numbers for keywords": (EXECUTE, ["idx", "wait", [], {1: 2}]),
    "a number for a name": (GET, ["idx", 5]),
    "None for a name": (EXECUTE, ["idx", None, [], {}]),
    "evil for a name": (EXECUTE, ["idx", EVIL, [], {}]),
    "evil for a number": (GET, [EVIL, "value"]),
    "evil for an opcode": (EVIL, ["idx", "value"]),
    "a list for a number": (GET, [[1], "value"]),
    "a list for an opcode": ([1], ["idx", "value"]),
    "text for an opcode": ("GET", ["idx", "value"]),
    "None for an opcode": (None, ["idx", "value"]),
    "an unknown opcode": (99, ["idx", "value"]),
    "an answer": (-1, ["idx", 1, None]),
    "a pending answer": (-2, []),
    "an unknown extension": (SET, ["idx", "x", Ext(9, b"abc")]),
    "a pickle of garbage": (SET, ["idx", "x", Ext(1, b"garbage")]),
    "a pickle cut short": (SET, ["idx", "x", Ext(1, pickle.dumps([1, 2])[:-1])]),
    "buffers that are not there": (
        SET,
        ["idx", "x", Ext(5, struct.pack(">II", 7, 9) + b"\x80\x05\x97.")],
    ),
    "a fault of garbage": (SET, ["idx", "x", Ext(4, b"\x00")]),
    "a word to the server as GET": (GET, [DESK, "value"]),
    "an unknown word": (EXECUTE, [DESK, "shutdown", [], {}]),
    "no word": (EXECUTE, [DESK]),
    "a word with too little": (EXECUTE, [DESK, "reference", ["idx"], {}]),
    "a word with the wrong things": (EXECUTE, [DESK, "release", [[1]], {}]),
    "a lock for text": (EXECUTE, [DESK, "lock", ["idx", "soon"], {}]),
    "a batch of text": (EXECUTE, [DESK, "batch", ["a", 1], {}]),
}


def with_number(value: Any, idx: int) -> Any:
    """
    Put the object's number where a forged payload says so.
    """
    if isinstance(value, list):
        return [with_number(part, idx) for part in value]
    return idx if value == "idx" and type(value) is str else value


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_request_gets_a_decode_error(scene: Scene, name: str) -> None:
    opcode, payload = FORGED[name]
    with RawClient(scene.server) as bad:
        with pytest.raises(DataDecodeError) as caught:
            bad.call(opcode, with_number(payload, scene.idx))
        assert len(str(caught.value)) > 20
        scene.assert_well()
        # The lane goes on.
        assert bad.call(GET, [scene.idx, "value"]) == 1


FORGED_WORDS: tuple[tuple[str, list[int]], ...] = (
    ("adopt", []),
    ("lend", []),
    ("batch", [5]),
    ("unlock", [1]),
)


@pytest.mark.parametrize("idx", [-1, 1_000_000, 2**63 - 1, -(2**63)])
def test_a_forged_number_finds_no_object(scene: Scene, idx: int) -> None:
    with RawClient(scene.server) as bad:
        for opcode, rest in ((GET, ["value"]), (SET, ["value", 2])):
            with pytest.raises(ProxyObjectNotFound, match="Share it again"):
                bad.call(opcode, [idx, *rest])
        for word, more in (
            ("adopt", []),
            ("lend", []),
            ("batch", [5]),
            ("unlock", [1]),
        ):
            with pytest.raises(ProxyObjectNotFound):
                bad.call(EXECUTE, [DESK, word, [idx, *more], {}])
        bad.call(EXECUTE, [DESK, "release", [idx, scene.idx, scene.idx], {}])


def test_a_lock_of_somebody_else_cannot_be_released(scene: Scene) -> None:
    with locked(scene.good), RawClient(scene.server) as bad:
        for number in range(3):
            with pytest.raises(ProxyError, match="does not hold"):
                bad.call(EXECUTE, [DESK, "unlock", [scene.idx, number], {}])
            bad.call(EXECUTE, [DESK, "end", [number], {}])
        with pytest.raises(ProxyTimeout), locked(scene.proxy, timeout=0.01):
            raise AssertionError("it was locked")


def test_garbage_in_a_lane_gets_typed_errors(scene: Scene) -> None:
    with RawClient(scene.server) as bad:

        @settings(max_examples=100, deadline=None)
        @given(st.binary(max_size=200))
        def check(data: bytes) -> None:
            with suppress(ProxyError):
                bad.ask(data)

        check()
        assert bad.call(GET, [scene.idx, "value"]) == 1


@pytest.mark.slow
def test_forged_frames_in_a_lane_get_errors(scene: Scene) -> None:
    opcodes = st.sampled_from([GET, SET, EXECUTE]) | st.integers(-5, 5)
    parts = st.one_of(
        st.sampled_from([0, scene.idx, "value", "wait_", "__len__", [], {}, None]),
        values.map(lambda value: Ext(1, pickle.dumps(value))),
    )
    with RawClient(scene.server) as bad:

        @settings(max_examples=100, deadline=None)
        @given(opcodes, st.lists(parts, max_size=5))
        def check(opcode: int, payload: list[Any]) -> None:
            data = encode([opcode, payload])
            with suppress(ProxyError, AttributeError, TypeError):
                bad.ask(data[:200])

        check()
        bad.call(SET, [scene.idx, "value", 7])
        assert scene.target.value == 7


@pytest.mark.parametrize("length", [201, 1000, 2**31, OVERFLOW - 1])
def test_a_length_that_cannot_be_is_a_decode_error(scene: Scene, length: int) -> None:
    with RawClient(scene.server) as bad:
        with pytest.raises(DataDecodeError, match=str(length)):
            bad.ask(encode([GET, [scene.idx, "value"]]), length)
        assert bad.call(GET, [scene.idx, "value"]) == 1


@pytest.mark.parametrize("length", range(10))
def test_a_length_that_is_too_short_is_a_decode_error(
    scene: Scene, length: int
) -> None:
    with RawClient(scene.server) as bad, pytest.raises(DataDecodeError):
        bad.ask(encode([GET, [scene.idx, "value"]]), length)


TABLES = {
    "more than there is": encode([100]),
    "no parts": encode([]),
    "negative parts": encode([-5, 105]),
    "parts without end": encode([2**62, 2**62]),
    "text": encode("text"),
    "another form": encode([[1], 2]),
    "cut short": encode([100] * 5)[:-3],
    "garbage": b"\xc1\xc1\xc1\xc1",
    "nothing": b"",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_forged_table_of_sizes_is_a_decode_error(scene: Scene, name: str) -> None:
    with RawClient(scene.server) as bad:
        bad.lay_table(TABLES[name], OVERFLOW)
        bad.post()
        with pytest.raises(DataDecodeError):
            bad.wait()
        assert bad.call(GET, [scene.idx, "value"]) == 1


@pytest.mark.parametrize("size", [201, 2**31, 2**32 - 1])
def test_a_table_of_a_size_that_cannot_be_is_a_decode_error(
    scene: Scene, size: int
) -> None:
    with RawClient(scene.server) as bad:
        bad.lay_table(encode([1]), OVERFLOW, size)
        bad.post()
        with pytest.raises(DataDecodeError, match=str(size)):
            bad.wait()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only their number counts


def test_descriptors_that_nobody_asked_for_are_not_taken(scene: Scene) -> None:
    with RawClient(scene.server) as bad, tempfile.TemporaryFile() as file:
        bad.call(GET, [scene.idx, "value"])
        assert wait_until(lambda: doorway_of(scene.server).is_prepared)
        before = descriptors()
        for _ in range(300):
            bad.send_descriptors([file.fileno()] * 8)
            bad.call(GET, [scene.idx, "value"])
        scene.assert_well()
        assert wait_until(lambda: descriptors() <= before)
    assert wait_until(lambda: descriptors() < before)


def test_a_lane_cannot_be_shortened(scene: Scene) -> None:
    """
    Who shortened it would end the kernel with SIGBUS.
    """
    with RawClient(scene.server) as bad:
        fd = bad.lane.block.descriptor.fileno()
        with pytest.raises(PermissionError):
            os.ftruncate(fd, 0)
        os.ftruncate(fd, 2**30)  # which takes no memory
        bad.lay_table(encode([2**24]), OVERFLOW)
        bad.post()
        with pytest.raises(DataDecodeError):
            bad.wait()
    scene.assert_well()


def test_garbage_through_the_doorbell_is_only_noise(scene: Scene) -> None:
    with RawClient(scene.server) as bad:
        for _ in range(50):
            bad.lane.doorbell.send(os.urandom(1000))
            assert bad.call(GET, [scene.idx, "value"]) == 1
        scene.assert_well()


@pytest.mark.parametrize(
    "posted_at", [float("nan"), float("inf"), float("-inf"), -1e300, 1e300, 1e-300]
)
def test_a_forged_clock_counts_for_nothing(scene: Scene, posted_at: float) -> None:
    with RawClient(scene.server) as bad:
        for _ in range(20):
            bad.lane.doubles[POSTED_AT] = bad.lane.doubles[BEGAN_AT] = posted_at
            assert bad.call(GET, [scene.idx, "value"]) == 1
        figures = scene.server.statistics()
        assert all(0 <= worker.waiting_share <= 1 for worker in figures.workers)
        delay = figures.busy_delay_s
        assert delay is None or 0 <= delay < 1000


@pytest.mark.parametrize("state", [0, 1, 2, 3, 2**32 - 1, 0x7FFFFFFD])
def test_a_forged_state_hurts_only_its_own_lane(scene: Scene, state: int) -> None:
    with RawClient(scene.server) as bad:
        assert bad.call(GET, [scene.idx, "value"]) == 1
        for _ in range(20):
            bad.words[WATCHED] = state & 1
            bad.words[STATE] = state
            bad.lane.ring()
            scene.assert_well()


def test_a_second_request_inside_a_call_takes_no_threads(scene: Scene) -> None:
    with RawClient(scene.server) as bad:
        bad.lay(encode([EXECUTE, [scene.idx, "wait", [], {}]]))
        bad.post()
        assert scene.target.inside.wait(10)
        before = threading.active_count()
        try:
            for _ in range(100):
                bad.post()
                scene.assert_well()
            # A few may wait; one for each request would be a hundred.
            assert threading.active_count() <= before + 10
        finally:
            scene.target.go_on.set()
        assert wait_until(lambda: bad.words[STATE] & 3 == 3)


def test_a_client_that_leaves_inside_a_call_is_forgotten(scene: Scene) -> None:
    bad = RawClient(scene.server)
    bad.lay(encode([EXECUTE, [scene.idx, "wait", [], {}]]))
    bad.post()
    assert scene.target.inside.wait(10)
    bad.close()
    scene.assert_well()
    scene.target.go_on.set()
    assert wait_until(lambda: len(scene.server.statistics().workers) == 1)
