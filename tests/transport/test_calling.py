"""
The client's side of a handshake: every end of it is a typed error, and leaves nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import HandshakeError, KernelGone, ProxyTimeout
from duck_jupyter.memory.blocks import Block
from duck_jupyter.transport import rendezvous
from duck_jupyter.transport.handshake import (
    MESSAGE_BYTES,
    PROTOCOL_VERSION,
    SERVER,
    SIZE_BYTES,
    Welcome,
    frame,
    key_of,
    message_size,
    new_nonce,
    prove,
    read_hello,
)
from duck_jupyter.transport.lanes import lane_bytes
from duck_jupyter.transport.rendezvous import connect
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

SECRET = b"secret"
BUFSIZE = 200
DEADLINE_S = 20.0
SOURCES = str(ROOT / "duck_jupyter")


def call(address: str, secret: bytes = SECRET) -> None:
    connect(address, secret, "raw", 1).close()


@contextlib.contextmanager
def other(address: str, answer: Callable[[socket.socket], None]) -> Any:
    """
    Listen at an address, and do something with the first who calls.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    yield
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    listener.close()


def ends(connection: socket.socket) -> None:
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(4096):
            pass


def say(data: bytes) -> Callable[[socket.socket], None]:
    """
    Give what says something, and then no more.
    """

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        ends(connection)

    return answer


def welcome_with(
    fds: int, bufsize: int = BUFSIZE, secret: bytes = SECRET
) -> Callable[[socket.socket], None]:
    """
    Give what welcomes a caller as a server does, with so many descriptors.
    """

    def answer(connection: socket.socket) -> None:
        start = connection.recv(SIZE_BYTES, socket.MSG_WAITALL)
        said = read_hello(connection.recv(message_size(start), socket.MSG_WAITALL))
        nonce = new_nonce()
        proof = prove(key_of(secret, said.nonce), SERVER, nonce)
        welcome = Welcome(PROTOCOL_VERSION, bufsize, 1000, nonce, proof)
        block = Block.create_growing(lane_bytes(BUFSIZE))
        with contextlib.suppress(BrokenPipeError):
            socket.send_fds(
                connection, [frame(welcome)], [block.descriptor.fileno()] * fds
            )
        block.close()
        ends(connection)

    return answer


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(SIZE_BYTES, "big") + data


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - only their number counts


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", KernelGone),
        (framed(b""), KernelGone),
        (framed(b"garbage"), HandshakeError),
        (framed(b"x" * (MESSAGE_BYTES + 1)), HandshakeError),
        (framed(b"#CHALLENGE#")[:-1], KernelGone),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", HandshakeError),
    ],
)
def test_another_program_at_the_address_is_a_typed_error(
    tmp_path: Path, said: bytes, kind: Any
) -> None:
    address = str(tmp_path / "s")
    with other(address, say(said)), pytest.raises(kind):
        call(address)


def test_a_server_that_hangs_up_is_a_gone_kernel(tmp_path: Path) -> None:
    address = str(tmp_path / "s")
    with other(address, lambda connection: None), pytest.raises(KernelGone):
        call(address)


def test_a_server_without_the_secret_is_another_kernel(tmp_path: Path) -> None:
    address, before = str(tmp_path / "s"), descriptors()
    with (
        other(address, welcome_with(1, secret=b"guess")),
        pytest.raises(HandshakeError, match="does not know the secret"),
    ):
        call(address)
    assert descriptors() == before


@pytest.mark.parametrize(
    ("fds", "bufsize", "kind"),
    [
        (0, BUFSIZE, KernelGone),
        (1, BUFSIZE, None),
        (3, BUFSIZE, None),
        (1, 1_000_000, HandshakeError),
    ],
)
def test_what_comes_with_a_welcome_is_owned_or_closed(
    tmp_path: Path, fds: int, bufsize: int, kind: Any
) -> None:
    address, before = str(tmp_path / "s"), descriptors()
    raises: Any = pytest.raises(kind) if kind else contextlib.nullcontext()
    with other(address, welcome_with(fds, bufsize)), raises:
        call(address)
    assert descriptors() == before


def test_a_silent_server_is_a_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendezvous, "HANDSHAKE_S", 0.05)
    address = str(tmp_path / "s")
    with other(address, ends), pytest.raises(ProxyTimeout, match="Try again later"):
        call(address)


def test_a_byte_now_and_then_is_a_timeout_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendezvous, "HANDSHAKE_S", 0.1)
    address, never = str(tmp_path / "s"), threading.Event()

    def dribble(connection: socket.socket) -> None:
        with contextlib.suppress(BrokenPipeError):
            connection.sendall((1000).to_bytes(SIZE_BYTES, "big"))
            while True:
                connection.sendall(b"x")
                never.wait(0.02)

    with other(address, dribble), pytest.raises(ProxyTimeout):
        call(address)


def test_a_door_where_too_many_wait_is_a_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendezvous, "HANDSHAKE_S", 0.05)
    address = str(tmp_path / "s")
    with contextlib.ExitStack() as stack:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stack.enter_context(listener)
        listener.bind(address)
        listener.listen(0)
        with contextlib.suppress(BlockingIOError):
            for _ in range(100):
                end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                stack.enter_context(end)
                end.setblocking(False)
                end.connect(address)
        with pytest.raises(ProxyTimeout, match="Try again later"):
            call(address)


def connect_interrupted(address: str, secret: bytes) -> tuple[int, list[int]]:
    """
    Interrupt the making of a lane before each of its bytecodes in turn.

    Returns:
        How many there were, and those of them whose interrupt left a descriptor open.
    """
    left: list[int] = []
    before = descriptors()
    for number in range(1, 100_000):
        steps = iter(range(number))

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            if not frame.f_code.co_filename.startswith(SOURCES):
                return None
            frame.f_trace_opcodes = True
            if event == "opcode" and next(steps, None) is None:  # noqa: B023
                sys.settrace(None)
                raise KeyboardInterrupt
            return trace

        # Python 3.12 looks for it when tracing begins.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(trace)
        try:
            lane = connect(address, secret, "raw", 1)
        except KeyboardInterrupt:
            lane = None
        finally:
            sys.settrace(None)
        if lane is not None:
            lane.close()
            return number, left
        if descriptors() > before:
            left.append(number)
            before = descriptors()
    raise AssertionError("it never came to its end")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_interrupt_leaves_no_descriptor(server: ProxyServer, worker: Worker) -> None:
    steps, left = worker.run(
        connect_interrupted, server.link.address, server.link.secret
    )
    assert steps > 100
    assert left == []
