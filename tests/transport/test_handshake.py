"""
The server's side of a handshake: it waits for no stranger, and forgets whoever leaves.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.msgpack import encode

from duck_jupyter.transport import rendezvous
from duck_jupyter.transport.handshake import (
    MESSAGE_BYTES,
    NO_PROOF,
    PROOF_BYTES,
    PROTOCOL_VERSION,
    frame,
)
from duck_jupyter.transport.lanes import BELL, PHASE, POSTED, STATE
from tests.support.objects import Tally
from tests.support.processes import wait_until
from tests.support.raw import RawClient, far
from tests.support.strangers import RawStranger, doorway_of, hello

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.proxy import ProxyServer

GET = 0
#: How long nothing has to happen.
SHORT_S = 0.1


@pytest.fixture
def good(server: ProxyServer) -> Iterator[Any]:
    """
    A client that is served as ever, before and after.
    """
    with far(server.create_proxy(Tally(5))) as proxy:
        assert proxy.value == 5
        yield proxy
        assert proxy.value == 5


def call(server: ProxyServer, secret: bytes | None = None) -> RawStranger:
    link = server.link
    return RawStranger(link.address, link.secret if secret is None else secret)


def refusals(server: ProxyServer) -> list[str]:
    return [x.message for x in server.statistics().errors if x.asked == "connect"]


def strangers(server: ProxyServer) -> int:
    return len(doorway_of(server)._strangers)


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


# -- messages that are no hello ------------------------------------------------------


@pytest.mark.parametrize("version", [0, PROTOCOL_VERSION + 1, -1])
def test_another_version_is_refused_with_advice(
    server: ProxyServer, good: Any, version: int
) -> None:
    with call(server) as stranger:
        stranger.introduce(hello(version))
        welcome = stranger.read_welcome()
        assert stranger.knows_secret()
        assert "Install the same version of duck-jupyter" in (welcome.refusal or "")
        assert not stranger.received
        assert stranger.is_hung_up_on()
    assert wait_until(lambda: any("version" in text for text in refusals(server)))


SAID = {
    "nothing": b"",
    "garbage": framed(b"garbage"),
    "text": framed(encode("text")),
    "another version's kind": framed(encode({"version": "one"})),
    "too little": framed(encode({"version": PROTOCOL_VERSION})),
    "a short nonce": framed(encode(msgspec.to_builtins(hello()) | {"nonce": b"short"})),
    "too large": framed(b"x" * (MESSAGE_BYTES + 1)),
    "more than a hello": frame(hello()) + b"more",
    "half of it": frame(hello())[:-5],
    "half a size": frame(hello())[:2],
    "no size": struct.pack(">i", 0) + b"short",
    "a negative size": struct.pack(">iQ", -1, 2**63),
    "noise": os.urandom(300),
    "ones": b"\xff" * 100,
    "another protocol": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("name", SAID)
def test_whoever_says_no_hello_is_turned_away(
    server: ProxyServer, good: Any, name: str
) -> None:
    with call(server) as stranger:
        stranger.say(SAID[name])
        with contextlib.suppress(OSError):  # it may have been hung up on
            stranger.socket.shutdown(socket.SHUT_WR)
        assert stranger.is_hung_up_on()
    assert wait_until(lambda: strangers(server) == 0)


def test_a_long_name_fits_a_hello(server: ProxyServer, good: Any) -> None:
    with call(server) as stranger:
        stranger.introduce(hello(client="x" * 7000))
        assert stranger.read_welcome().refusal is None


# -- proofs --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "proof", [NO_PROOF, b"\xff" * PROOF_BYTES, b"b" * 1000], ids=["no", "wrong", "long"]
)
def test_a_wrong_proof_is_turned_away_and_noted(
    server: ProxyServer, good: Any, proof: bytes
) -> None:
    with call(server) as stranger:
        stranger.introduce()
        stranger.read_welcome()
        stranger.say(proof)
        assert stranger.is_hung_up_on()
    assert wait_until(lambda: any("secret" in text for text in refusals(server)))
    assert len(server.statistics().workers) == 1


def test_a_proof_of_another_secret_is_wrong(server: ProxyServer, good: Any) -> None:
    with call(server, b"another") as stranger:
        stranger.introduce()
        stranger.read_welcome()
        assert not stranger.knows_secret()
        stranger.say(stranger.proof())
        assert stranger.is_hung_up_on()
    assert wait_until(lambda: any("secret" in text for text in refusals(server)))


def test_the_servers_own_proof_and_an_old_one_are_wrong(
    server: ProxyServer, good: Any
) -> None:
    with call(server) as first, call(server) as second, call(server) as third:
        for stranger in (first, second, third):
            stranger.introduce()
            stranger.read_welcome()
        second.say(second.welcome.proof)
        assert second.is_hung_up_on()
        third.say(first.proof())
        assert third.is_hung_up_on()


# -- one byte at a time --------------------------------------------------------------


def test_a_handshake_byte_by_byte_is_as_good(server: ProxyServer, good: Any) -> None:
    with call(server) as stranger:
        stranger.introduce(hello(), at_once=1)
        assert good.value == 5
        stranger.read_welcome()
        assert stranger.knows_secret()
        with RawClient(server, stranger.lane()) as client:
            for byte in stranger.proof():
                stranger.say(bytes([byte]))
            assert client.call(GET, [good._duck_idx, "value"]) == 5


# -- a lane before and after the proof -----------------------------------------------


def welcomed(server: ProxyServer) -> tuple[RawStranger, RawClient]:
    """
    Give a stranger that has its lane, with a request in it, and has proved nothing.
    """
    stranger = call(server)
    stranger.introduce()
    stranger.read_welcome()
    return stranger, RawClient(server, stranger.lane())


def test_a_lane_is_not_looked_at_before_the_proof(
    server: ProxyServer, good: Any
) -> None:
    stranger, client = welcomed(server)
    with client:
        client.lay(encode([GET, [good._duck_idx, "value"]]))
        client.post(ring=False)
        proof = stranger.proof()
        for byte in proof[:-1]:
            stranger.say(bytes([byte]))
        assert not wait_until(lambda: client.words[STATE] & PHASE != POSTED, SHORT_S)
        stranger.say(proof[-1:])
        assert client.wait() == 5
        assert client.call(GET, [good._duck_idx, "value"]) == 5


@pytest.mark.parametrize("bell", [b"", BELL, BELL * 40])
def test_a_request_that_comes_with_the_proof_is_answered(
    server: ProxyServer, good: Any, bell: bytes
) -> None:
    stranger, client = welcomed(server)
    with client:
        client.lay(encode([GET, [good._duck_idx, "value"]]))
        client.post(ring=False)
        stranger.say(stranger.proof() + bell)
        assert client.wait() == 5


def test_a_request_long_after_the_proof_is_answered(
    server: ProxyServer, good: Any
) -> None:
    stranger, client = welcomed(server)
    with client:
        stranger.say(stranger.proof())
        assert wait_until(lambda: len(server.statistics().workers) == 2)
        assert client.call(GET, [good._duck_idx, "value"]) == 5


def test_whoever_leaves_right_after_the_proof_is_forgotten(
    server: ProxyServer, good: Any
) -> None:
    for _ in range(20):
        stranger, client = welcomed(server)
        stranger.say(stranger.proof())
        client.close()
    assert wait_until(lambda: len(server.statistics().workers) == 1)
    assert wait_until(lambda: strangers(server) == 0)


# -- who leaves, and who never finishes ----------------------------------------------


def nothing(stranger: RawStranger) -> None:
    pass


def half_a_hello(stranger: RawStranger) -> None:
    stranger.say(frame(hello())[:20])


def whole_hello(stranger: RawStranger) -> None:
    stranger.introduce()


def until_the_welcome(stranger: RawStranger) -> None:
    stranger.introduce()
    stranger.read_welcome()


def half_a_proof(stranger: RawStranger) -> None:
    until_the_welcome(stranger)
    stranger.say(stranger.proof()[:10])


STAGES = [nothing, half_a_hello, whole_hello, until_the_welcome, half_a_proof]
stages = pytest.mark.parametrize("stage", STAGES)


@stages
def test_a_stranger_who_leaves_is_forgotten(
    server: ProxyServer, good: Any, stage: Callable[[RawStranger], None]
) -> None:
    assert wait_until(lambda: doorway_of(server).is_prepared)
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - only their number counts
    for _ in range(30):
        with call(server) as stranger:
            stage(stranger)
    assert wait_until(lambda: strangers(server) == 0)
    assert wait_until(
        lambda: len(os.listdir("/dev/fd")) <= before  # noqa: PTH208
    )
    assert refusals(server) == []


@stages
def test_strangers_who_never_finish_delay_nobody(
    server: ProxyServer, stage: Callable[[RawStranger], None]
) -> None:
    """
    And they are hung up on when the server closes, not when their time is over.
    """
    silent = [call(server) for _ in range(30)]
    try:
        for stranger in silent:
            stage(stranger)
        threads = threading.active_count()
        with far(server.create_proxy(Tally(5))) as proxy:
            assert proxy.value == 5
        # No thread for each of them.
        assert threading.active_count() <= threads + 3
        server.close()
        assert all(stranger.is_hung_up_on() for stranger in silent)
    finally:
        for stranger in silent:
            stranger.close()


@stages
def test_a_slow_stranger_is_hung_up_on_when_the_next_one_calls(
    server: ProxyServer,
    monkeypatch: pytest.MonkeyPatch,
    stage: Callable[[RawStranger], None],
) -> None:
    with call(server) as slow:
        stage(slow)
        assert wait_until(lambda: strangers(server) == 1)
        monkeypatch.setattr(rendezvous, "HANDSHAKE_S", 0.0)
        with call(server):
            assert slow.is_hung_up_on()


@pytest.mark.slow
def test_a_flood_of_strangers_starves_no_caller(server: ProxyServer, good: Any) -> None:
    address, over = server.link.address, threading.Event()

    def flood() -> None:
        while not over.is_set():
            # As many wait at the door as the system lets wait.
            with contextlib.suppress(BlockingIOError), contextlib.ExitStack() as stack:
                for _ in range(20):
                    stack.enter_context(RawStranger(address)).introduce()

    threads = [threading.Thread(target=flood) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            assert good.value == 5
        with far(server.create_proxy(Tally(6))) as fresh:
            assert fresh.value == 6
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert wait_until(lambda: strangers(server) == 0)


def test_workers_that_come_at_the_same_moment_all_come_in(
    server: ProxyServer, good: Any
) -> None:
    connections = [call(server) for _ in range(60)]
    try:
        for step in (RawStranger.introduce, RawStranger.read_welcome):
            for connection in connections:
                step(connection)
        for connection in connections:
            connection.say(connection.proof())
        assert wait_until(lambda: len(server.connections()) == 61)
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("stage", [nothing, until_the_welcome])
def test_a_forked_child_keeps_no_stranger(
    server: ProxyServer, stage: Callable[[RawStranger], None]
) -> None:
    """
    As long as a copy of the socket is open somewhere, the other side hears no end.
    """
    with call(server) as stranger:
        stage(stranger)
        assert wait_until(lambda: strangers(server) == 1)
        reader, writer = os.pipe()
        ready, done = os.pipe()
        pid = os.fork()
        if not pid:
            os.write(done, b"x")
            os.read(reader, 1)
            os._exit(0)
        os.read(ready, 1)
        server.close()
        assert stranger.is_hung_up_on()
        os.write(writer, b"x")
        os.waitpid(pid, 0)
        for end in (reader, writer, ready, done):
            os.close(end)
