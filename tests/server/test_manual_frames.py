"""
Frames that are written and handled by hand, in a block of the caller's or the server's.
"""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import (
    DataDecodeError,
    DataTooBigError,
    EmptyData,
    ProxyClosed,
    ProxyObjectNotFound,
)
from duck_jupyter.proxy import Frame, ProxyOpCode, ProxyServer
from tests.support.objects import Plain, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.workers import Worker


@pytest.fixture
def block() -> Iterator[SharedMemory]:
    """
    A block of the test's own.
    """
    shared_memory = SharedMemory(create=True, size=4096)
    yield shared_memory
    shared_memory.close()
    shared_memory.unlink()


def ask(server: ProxyServer, block: SharedMemory, opcode: int, *payload: Any) -> Any:
    """
    Write a request, have it handled, and give the payload of the answer.
    """
    server.write_frame(block, Frame(opcode, list(payload)))
    server.handle_frame(block, server.read_frame(block))
    answer = server.read_frame(block)
    assert answer.opcode == ProxyOpCode.EXECUTION_RESULT
    return answer.payload


def test_a_get_is_answered_in_its_block(
    server: ProxyServer, block: SharedMemory
) -> None:
    idx = server.create_proxy(Tally(5), block)._duck_idx

    assert ask(server, block, ProxyOpCode.GET, idx, "value") == [idx, 5, None]


def test_a_set_is_answered_in_its_block(
    server: ProxyServer, block: SharedMemory
) -> None:
    target = Tally(5)
    idx = server.create_proxy(target, block)._duck_idx

    answer = ask(server, block, ProxyOpCode.SET, idx, "value", 7)

    assert answer == [idx, None, None]
    assert target.value == 7


def test_an_execute_is_answered_in_its_block(
    server: ProxyServer, block: SharedMemory
) -> None:
    idx = server.create_proxy(Tally(5), block)._duck_idx

    assert ask(server, block, 2, idx, "add", [1], {"b": 5}) == [idx, 6, None]


def test_values_of_every_type_go_through_a_block(
    server: ProxyServer, block: SharedMemory
) -> None:
    idx = server.create_proxy(Tally(), block)._duck_idx
    value = (1, {2, 3}, {"a": (None, 1.5, b"x")}, 10**30, "<proxy>-1")

    assert ask(server, block, 2, idx, "echo", [value], {}) == [idx, value, None]


def test_an_error_is_the_third_part_of_the_answer(
    server: ProxyServer, block: SharedMemory
) -> None:
    proxy = server.create_proxy(Tally(), block)

    idx, value, error = ask(server, block, 0, proxy._duck_idx, "nothing")

    assert (idx, value) == (proxy._duck_idx, None)
    assert type(error) is AttributeError
    assert "nothing" in str(error.__cause__)


def test_the_block_says_that_an_answer_is_pending(
    server: ProxyServer, block: SharedMemory
) -> None:
    seen = []

    class Looking:
        @property
        def look(self) -> int:
            frame = server.read_frame(block)
            seen.append((frame.opcode, frame.payload))
            return 1

    idx = server.create_proxy(Looking(), block)._duck_idx
    ask(server, block, ProxyOpCode.GET, idx, "look")

    assert seen == [(ProxyOpCode.RESPONSE_PENDING, [])]


@pytest.mark.parametrize("opcode", [-1, -2])
def test_an_answer_is_left_alone(
    server: ProxyServer, block: SharedMemory, opcode: int
) -> None:
    frame = Frame(opcode, [1, 2, None])
    server.write_frame(block, frame)
    server.handle_frame(block, frame)

    assert repr(server.read_frame(block)) == repr(frame)


def test_an_unknown_opcode_is_refused(server: ProxyServer, block: SharedMemory) -> None:
    with pytest.raises(DataDecodeError, match="9"):
        server.handle_frame(block, Frame(9, []))


def test_a_number_of_no_object_is_an_error_in_the_answer(
    server: ProxyServer, block: SharedMemory
) -> None:
    _, value, error = ask(server, block, ProxyOpCode.GET, 99, "name")

    assert value is None
    assert type(error) is ProxyObjectNotFound


def test_an_answer_that_does_not_fit_says_so(
    server: ProxyServer, block: SharedMemory
) -> None:
    idx = server.create_proxy(Plain(long="x" * 5000), block)._duck_idx

    _, value, error = ask(server, block, ProxyOpCode.GET, idx, "long")

    assert value is None
    assert type(error) is DataTooBigError
    assert "4092" in str(error)


def test_a_proxy_and_the_server_share_the_servers_block(server: ProxyServer) -> None:
    proxy = server.create_proxy(Tally(4))
    block = proxy.get_shared_memory()
    try:
        with pytest.raises(EmptyData):
            proxy.read_frame(block)
        size = proxy.write_frame(block, Frame(ProxyOpCode.GET, [1, "value"]))
        assert block.buf is not None
        assert size == int.from_bytes(bytes(block.buf[:4]), "big")
        server.handle_frame(block, server.read_frame(block))
        assert proxy.read_frame(block).payload == [proxy._duck_idx, 4, None]
        with pytest.raises(DataTooBigError):
            proxy.write_frame(block, Frame(0, ["x" * 5000]))
    finally:
        block.close()
    with pytest.raises(ProxyClosed, match="get_shared_memory"):
        proxy.read_frame(block)


def test_a_worker_attaches_to_the_servers_block(
    server: ProxyServer, worker: Worker
) -> None:
    code = """
block = p.get_shared_memory()
p.write_frame(block, Frame(ProxyOpCode.GET, [1, "value"]))
block.close()
"""
    proxy = server.create_proxy(Tally(4))
    worker.exec(code, p=proxy)
    block = proxy.get_shared_memory()
    try:
        assert server.read_frame(block).payload == [1, "value"]
    finally:
        block.close()


GETS = [
    ("Frame(ProxyOpCode.GET, [p._duck_idx, 'value'])", 4),
    ("Frame(ProxyOpCode.SET, [p._duck_idx, 'value', 9])", None),
    ("Frame(ProxyOpCode.EXECUTE, [p._duck_idx, 'add', [1, 2], {}])", 3),
    ("Frame(2, [p._duck_idx, 'echo', [(1, {2})], {}])", (1, {2})),
]


@pytest.mark.parametrize(("frame", "expected"), GETS)
def test_a_frame_is_sent_and_its_value_given(
    server: ProxyServer, worker: Worker, frame: str, expected: Any
) -> None:
    proxy = server.create_proxy(Tally(4))

    assert worker.eval(f"p.get_response({frame}, timeout=5)", p=proxy) == expected
    assert eval(frame, {"Frame": Frame, "ProxyOpCode": ProxyOpCode, "p": proxy})


def test_a_frame_of_a_method_gives_a_callable(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally(4))
    code = "p.get_response(Frame(0, [p._duck_idx, 'add']))(2, 3)"

    assert worker.eval(code, p=proxy) == 5
    assert proxy.get_response(Frame(0, [proxy._duck_idx, "add"]))(2, 3) == 5


def test_a_frame_of_an_object_gives_a_proxy(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally(4))
    code = "p.get_response(Frame(2, [p._duck_idx, 'fresh', [], {}]))"

    assert worker.eval(f"repr({code})", p=proxy) == "<proxy>-2 Tally, level 1"


def test_a_frame_that_asks_nothing_is_refused_before_it_is_sent(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally(4))
    for opcode in (-1, -2, 7):
        with pytest.raises(DataDecodeError, match="GET, SET or EXECUTE"):
            worker.eval(f"p.get_response(Frame({opcode}, []))", p=proxy)
        with pytest.raises(DataDecodeError, match="GET, SET or EXECUTE"):
            proxy.get_response(Frame(opcode, []))
    with pytest.raises(ProxyObjectNotFound):
        worker.eval("p.get_response(Frame(0, [77, 'value']))", p=proxy)
