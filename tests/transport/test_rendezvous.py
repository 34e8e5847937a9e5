"""
Who may come in: the same user with the secret and the same version, and nobody else.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import stat
import struct
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from duck_jupyter.errors import HandshakeError, KernelGone
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.transport.rendezvous import PROTOCOL_VERSION, connect
from tests.support.processes import run_python, wait_until
from tests.support.raw import far, hello

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534
DEADLINE_S = 20.0


class Cell:
    """
    An object with one value.
    """

    value = 5


def address_of(server: ProxyServer) -> str:
    return server.link.address


@pytest.fixture
def good(server: ProxyServer) -> Iterator[Any]:
    """
    A client that is served as ever, before and after.
    """
    with far(server.create_proxy(Cell())) as proxy:
        assert proxy.value == 5
        yield proxy
        assert proxy.value == 5


def call_at(address: str) -> socket.socket:
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    caller.settimeout(DEADLINE_S)
    caller.connect(address)
    return caller


def ends(caller: socket.socket) -> bool:
    """
    Read until the other side hangs up.
    """
    try:
        while caller.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def refusals(server: ProxyServer) -> list[str]:
    return [x.message for x in server.statistics().errors if x.asked == "connect"]


def test_the_socket_lies_in_a_folder_of_its_user_alone(server: ProxyServer) -> None:
    folder = Path(address_of(server)).parent
    found = folder.stat()
    assert stat.S_IMODE(found.st_mode) == 0o700
    assert found.st_uid == os.geteuid()
    server.close()
    assert not folder.exists()


@pytest.mark.parametrize("secret", [b"", b"wrong", bytes(16)])
def test_without_the_secret_nobody_comes_in(
    server: ProxyServer, good: Any, secret: bytes
) -> None:
    with pytest.raises(HandshakeError, match="Only processes of the user"):
        connect(address_of(server), secret, hello())
    assert wait_until(lambda: any("secret" in text for text in refusals(server)))


@pytest.mark.parametrize("version", [0, PROTOCOL_VERSION + 1, -1])
def test_another_version_is_refused_with_advice(
    server: ProxyServer, good: Any, version: int
) -> None:
    with pytest.raises(HandshakeError, match=r"install the same duck-jupyter"):
        connect(address_of(server), server.link.secret, hello(version))
    assert wait_until(lambda: any("version" in text for text in refusals(server)))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"garbage",
        msgspec.msgpack.encode("text"),
        msgspec.msgpack.encode({"version": "one"}),
        msgspec.msgpack.encode({"version": 1}),
        b"x" * 5000,
    ],
)
def test_whoever_says_nothing_of_itself_is_turned_away(
    server: ProxyServer, good: Any, said: bytes
) -> None:
    caller = Client(address_of(server), "AF_UNIX", authkey=server.link.secret)
    try:
        caller.send_bytes(said)
        with pytest.raises((EOFError, ConnectionResetError)):
            caller.recv_bytes()
    finally:
        caller.close()


@pytest.mark.parametrize(
    "said",
    [
        os.urandom(300),
        b"\xff" * 100,
        struct.pack(">i", 2**31 - 1),
        struct.pack(">iQ", -1, 2**63),
        struct.pack(">i", 5) + b"short",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_a_stranger_who_speaks_garbage_is_turned_away(
    server: ProxyServer, good: Any, said: bytes
) -> None:
    caller = call_at(address_of(server))
    try:
        caller.sendall(said)
        caller.shutdown(socket.SHUT_WR)
        assert ends(caller)
    finally:
        caller.close()


def test_a_stranger_who_leaves_at_once_is_forgotten(
    server: ProxyServer, good: Any
) -> None:
    for _ in range(50):
        call_at(address_of(server)).close()
    assert wait_until(lambda: handshakes() == 0)


def handshakes() -> int:
    return sum(t.name == "duck-handshake" for t in threading.enumerate())


def test_strangers_who_never_finish_delay_nobody(server: ProxyServer) -> None:
    """
    And they are hung up on when the server closes, not when their time is over.
    """
    silent = [call_at(address_of(server)) for _ in range(30)]
    try:
        with far(server.create_proxy(Cell())) as proxy:
            assert proxy.value == 5
        server.close()
        assert wait_until(lambda: handshakes() == 0, 2.0)
        assert all(map(ends, silent))
    finally:
        for caller in silent:
            caller.close()


def test_nobody_there_is_a_gone_kernel(tmp_path: Path) -> None:
    with pytest.raises(KernelGone, match="Share the object again"):
        connect(str(tmp_path / "s"), b"", hello())


def answer_with(address: str, answer: Callable[[socket.socket], None]) -> Any:
    """
    Listen at an address, and do something with the first who calls.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen()

    def serve() -> None:
        caller, _ = listener.accept()
        with caller:
            answer(caller)
        listener.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def say(data: bytes) -> Callable[[socket.socket], None]:
    def answer(caller: socket.socket) -> None:
        caller.sendall(struct.pack(">i", len(data)) + data)
        caller.shutdown(socket.SHUT_WR)
        ends(caller)

    return answer


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"garbage", HandshakeError),
        (b"#CHALLENGE#", HandshakeError),
        (b"", HandshakeError),
        (b"x" * 5000, KernelGone),
    ],
)
def test_another_program_at_the_address_is_a_typed_error(
    tmp_path: Path, said: bytes, kind: Any
) -> None:
    address = str(tmp_path / "s")
    thread = answer_with(address, say(said))
    with pytest.raises((kind, KernelGone)):
        connect(address, b"secret", hello())
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def test_a_server_that_hangs_up_is_a_gone_kernel(tmp_path: Path) -> None:
    address = str(tmp_path / "s")
    thread = answer_with(address, lambda caller: None)
    with pytest.raises(KernelGone):
        connect(address, b"secret", hello())
    thread.join(DEADLINE_S)


def test_a_client_of_multiprocessing_without_the_secret_is_refused(
    server: ProxyServer, good: Any
) -> None:
    with pytest.raises((AuthenticationError, EOFError)):
        Client(address_of(server), "AF_UNIX", authkey=b"guess")


def as_nobody(job: Callable[[], str]) -> str:
    """
    Run a job in a forked child of another user, and give what it returns.

    Only root can become another user; for anybody else the child stays who it is, and
    finds the folder closed, as another user would.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writer, job().encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with open(reader, "rb") as file:  # noqa: PTH123 - a descriptor, no path
        return file.read().decode()


@contextlib.contextmanager
def open_to_all(folder: Path) -> Iterator[None]:
    """
    Let everybody into a folder, and into all above it.
    """
    modes = {path: path.stat().st_mode & 0o7777 for path in (folder, *folder.parents)}
    closed = {path: mode for path, mode in modes.items() if not mode & 0o001}
    for path, mode in closed.items():
        path.chmod(mode | 0o011)
    try:
        yield
    finally:
        for path, mode in closed.items():
            path.chmod(mode)


def test_another_user_is_turned_away(server: ProxyServer, good: Any) -> None:
    """
    By the folder's mode; and where that was opened, by the system's word on who calls.
    """
    address, secret = address_of(server), server.link.secret
    folder = Path(address).parent

    def job() -> str:
        try:
            connect(address, secret, hello())
        except HandshakeError as error:
            return f"refused: {error}"
        return "came in"

    if os.geteuid() == 0:
        closed = as_nobody(job)
        Path(address).chmod(0o777)
        with open_to_all(folder):
            opened = as_nobody(job)
        assert closed.startswith("refused: This proxy belongs to another user's")
        assert not opened.startswith("came in")
        assert wait_until(lambda: any("user 65534" in x for x in refusals(server)))
    else:
        # Without root nobody can play another user: a closed folder is closed to us.
        folder.chmod(0)
        try:
            assert job().startswith("refused")
        finally:
            folder.chmod(0o700)


def test_a_pickled_proxy_of_an_earlier_kernel_says_so() -> None:
    with ProxyServer() as server:
        data = pickle.dumps(server.create_proxy(Cell()))
    proxy: Any = pickle.loads(data)
    for _ in range(2):
        with pytest.raises(KernelGone, match="Share the object again"):
            proxy.value  # noqa: B018
    with pytest.raises(KernelGone):
        proxy.get_shared_memory()
    with pytest.raises(KernelGone):
        proxy.value = 1


def test_a_pickled_proxy_of_a_killed_kernel_says_so() -> None:
    code = (
        "import os, pickle, sys\n"
        "from duck_jupyter.proxy import ProxyServer\n"
        "from tests.transport.test_rendezvous import Cell\n"
        "server = ProxyServer(); server.run()\n"
        "sys.stdout.buffer.write(pickle.dumps(server.create_proxy(Cell())).hex().encode())\n"
        "sys.stdout.flush(); os.kill(os.getpid(), 9)\n"
    )
    done = run_python(code)
    proxy: Any = pickle.loads(bytes.fromhex(done.stdout))
    with pytest.raises(KernelGone):
        proxy.value  # noqa: B018
    # The next server sweeps up the folder of the one that was killed.
    with ProxyServer():
        assert not Path(proxy._duck_link.address).parent.exists()
