"""
Frames over connections of the network, with TLS and without, and their handshake.
"""

from __future__ import annotations

import pickle
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from distributed.security import Security

from duck_jupyter.errors import DataTooBigError, HandshakeError
from duck_jupyter.transport.handshake import PROOF_BYTES, Hello
from duck_jupyter.transport.lanes import LEAVING, PHASE, POSTED, REPLIED, STATE
from duck_jupyter.transport.stream_handshake import (
    WORD,
    greet_client,
    greet_server,
    welcome,
)
from duck_jupyter.transport.stream_peer import StreamPeer
from duck_jupyter.transport.streams import (
    ANSWER,
    GRANTED,
    LEAVES,
    RECEIPT,
    REQUEST,
    DeadlinePassed,
    Stream,
    head_of,
)
from duck_jupyter.transport.tls import Tls

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = b"0123456789abcdef"
MOST = 1 << 24
WAIT_S = 20.0


@pytest.fixture(scope="module")
def security() -> Any:
    return Security.temporary()


@pytest.fixture(params=["plain", "tls"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[Stream, Stream]]:
    """
    Give both ends of a connection: the client's and the server's.
    """
    with socket.create_server(("127.0.0.1", 0)) as door:
        near = Stream(socket.create_connection(door.getsockname()))
        far = Stream(door.accept()[0])
    near.deadline = far.deadline = time.monotonic() + WAIT_S
    if request.param == "tls":
        security = request.getfixturevalue("security")
        ours = security.get_connection_args("worker")["ssl_context"]
        theirs = security.get_listen_args("client")["ssl_context"]
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(far.secure, Tls(theirs, server_side=True))
            near.secure(Tls(ours, server_side=False))
            done.result(WAIT_S)
    yield near, far
    near.close()
    far.close()


@pytest.mark.parametrize("size", [0, 1, 100, 65_536, 65_537, 1_000_000, 5_000_000])
def test_a_frame_of_any_size_arrives(ends: tuple[Stream, Stream], size: int) -> None:
    near, far = ends
    data, buffers = b"x" * size, [memoryview(b"y" * size), memoryview(b"z" * 20)]
    head = head_of(REQUEST, 8, size, buffers, 1.5, 0.25)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(near.send, head, data, buffers)
        frame = far.receive(MOST)
        sent.result(WAIT_S)
    assert frame[:4] == (REQUEST, 8, 1.5, 0.25)
    assert (frame.data, *map(bytes, frame.buffers)) == (data, *map(bytes, buffers))


def test_frames_that_arrive_together_are_taken_one_by_one(
    ends: tuple[Stream, Stream],
) -> None:
    near, far = ends
    near.send_raw(near.encoded(head_of(RECEIPT, 4)))
    near.send(head_of(REQUEST, 8, 3), b"abc")
    first, second = far.receive(MOST), far.receive(MOST)
    assert (first.kind, second.kind, second.data) == (RECEIPT, REQUEST, b"abc")


def test_a_deadline_ends_the_wait(ends: tuple[Stream, Stream]) -> None:
    near, far = ends
    near.send_raw(near.encoded(head_of(ANSWER, 4, 10)))
    far.deadline = time.monotonic() + 0.05
    with pytest.raises(DeadlinePassed):
        far.receive(MOST)


def test_an_end_in_the_midst_of_a_frame_is_no_frame(
    ends: tuple[Stream, Stream],
) -> None:
    near, far = ends
    near.send_raw(near.encoded(head_of(ANSWER, 4, 10)))
    near.close()
    with pytest.raises((EOFError, OSError)):
        far.receive(MOST)
    assert far.is_left


@pytest.mark.parametrize(
    "head",
    [head_of(9, 4), head_of(REQUEST, 4, MOST + 1), b"\x01\xff" + bytes(28)],
    ids=["kind", "size", "buffers"],
)
def test_what_is_no_frame_is_refused(ends: tuple[Stream, Stream], head: bytes) -> None:
    near, far = ends
    near.send_raw(near.encoded(head))
    with pytest.raises(ValueError, match=r"not valid|was announced"):
        far.receive(MOST)


def test_one_thread_sends_while_another_waits(ends: tuple[Stream, Stream]) -> None:
    near, far = ends
    with ThreadPoolExecutor(2) as pool:
        got = pool.submit(far.receive, MOST)
        back = pool.submit(near.receive, MOST)
        far.send(head_of(ANSWER, 4, 4), b"back")
        assert back.result(WAIT_S).data == b"back"
        near.send(head_of(REQUEST, 8, 5), b"there")
        assert got.result(WAIT_S).data == b"there"


# -- the handshake -------------------------------------------------------------------


def test_both_sides_prove_the_secret(ends: tuple[Stream, Stream]) -> None:
    near, far = ends

    def serve() -> Hello:
        hello = greet_client(far, SECRET)
        welcome(far, 1234)
        return hello

    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve)
        assert greet_server(near, SECRET, "client", 7) == 1234
        hello = served.result(WAIT_S)
    assert (hello.client, hello.thread) == ("client", 7)
    assert hello.process_name == f"{socket.gethostname()}:{hello.pid}"


def test_a_client_without_the_secret_is_refused(ends: tuple[Stream, Stream]) -> None:
    near, far = ends

    def serve() -> str:
        try:
            greet_client(far, SECRET)
        except HandshakeError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve)
        with pytest.raises(HandshakeError, match="does not know the secret"):
            greet_server(near, b"another secret..", "client", 7)
        near.send(bytes(PROOF_BYTES), b"")
        assert "without the secret" in served.result(WAIT_S)


def test_nothing_is_decoded_before_the_proof(ends: tuple[Stream, Stream]) -> None:
    near, far = ends
    near.send(WORD, bytes(16) + bytes(PROOF_BYTES) + pickle.dumps("no hello"))
    with pytest.raises(HandshakeError, match="without the secret"):
        greet_client(far, SECRET)


def test_another_protocol_is_refused(ends: tuple[Stream, Stream]) -> None:
    near, far = ends
    near.send(b"GET / HTTP/1.1\r\n\r\n", b"")
    with pytest.raises(ValueError, match="another protocol"):
        greet_client(far, SECRET)


# -- the server's end ----------------------------------------------------------------


def test_a_peer_has_the_words_of_a_lane(ends: tuple[Stream, Stream]) -> None:
    near, far = ends
    peer = StreamPeer(far, MOST)
    near.send(head_of(REQUEST, 4, 3), b"abc")
    assert peer.receive()
    assert peer.words[STATE] == 4 | POSTED
    assert peer.is_busy
    assert peer.take() == (b"abc", ())
    peer.put(b"answer", grant=True)
    peer.words[STATE] = 4 | REPLIED
    peer.ring()
    answer = near.receive(MOST)
    assert (answer.kind, answer.sequence, answer.data) == (GRANTED, 4, b"answer")
    near.send(head_of(RECEIPT, 4), b"")
    assert not peer.receive()
    assert peer.words[STATE] & PHASE == 0
    near.send(head_of(LEAVES, 4), b"")
    assert not peer.receive()
    assert peer.words[LEAVING]


def test_a_client_must_wait_for_its_answer(ends: tuple[Stream, Stream]) -> None:
    near, far = ends
    peer = StreamPeer(far, MOST)
    for sequence in (4, 8):
        near.send(head_of(REQUEST, sequence, 3), b"abc")
    assert peer.receive()
    with pytest.raises(ValueError, match="must wait"):
        peer.receive()


def test_a_message_that_is_too_large_is_not_kept(
    ends: tuple[Stream, Stream],
) -> None:
    peer = StreamPeer(ends[1], 10)
    with pytest.raises(DataTooBigError, match="at most 10 bytes"):
        peer.put(b"x" * 11)


def test_an_answer_to_a_client_that_is_gone_is_dropped(
    ends: tuple[Stream, Stream],
) -> None:
    near, far = ends
    peer = StreamPeer(far, MOST)
    near.close()
    for _ in range(2):
        peer.put(b"x" * 1_000_000)
        peer.ring()
    assert not peer.hear()


def test_a_context_of_another_ca_is_refused(security: Any) -> None:
    other = Security.temporary()
    ours = other.get_connection_args("worker")["ssl_context"]
    theirs = security.get_listen_args("client")["ssl_context"]
    client, server = Tls(ours, server_side=False), Tls(theirs, server_side=True)
    with pytest.raises(OSError, match=r"(?i)certificate|alert|verify"):
        shake_hands(client, server)


def shake_hands(client: Tls, server: Tls) -> None:
    done, data = client.shake_hands()
    while not done:
        server.feed(data)
        _, data = server.shake_hands()
        client.feed(data)
        done, data = client.shake_hands()
