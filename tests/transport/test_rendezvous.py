"""
Who may come in: the same user with the secret and the same version, and nobody else.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import HandshakeError, KernelGone
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.transport.rendezvous import connect
from tests.support.limits import soft_limit
from tests.support.processes import run_python, wait_until
from tests.support.raw import far
from tests.support.strangers import RawStranger, door_of, doorway_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534


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
        connect(address_of(server), secret, "raw", 1)
    assert wait_until(lambda: any("secret" in text for text in refusals(server)))


def test_nobody_there_is_a_gone_kernel(tmp_path: Path) -> None:
    with pytest.raises(KernelGone, match="Share the object again"):
        connect(str(tmp_path / "s"), b"", "raw", 1)


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
            connect(address, secret, "raw", 1)
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


@pytest.mark.slow
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


def stranger(server: ProxyServer) -> RawStranger:
    return RawStranger(server.link.address, server.link.secret)


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """
    Let this process have no more descriptors than it has.
    """
    lowest = os.dup(0)
    os.close(lowest)
    with soft_limit(resource.RLIMIT_NOFILE, lowest):
        yield


def test_who_calls_a_kernel_without_a_descriptor_is_taken_in_later(
    server: ProxyServer,
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        with no_descriptors():
            connection.connect(address_of(server))
            assert wait_until(lambda: door_of(server)._retry_at is not None)
        # Nobody else calls, and no bell rings again.
        assert wait_until(lambda: len(doorway_of(server)._strangers) == 1)


def test_a_kernel_that_has_no_descriptors_left_says_so(server: ProxyServer) -> None:
    with stranger(server) as first, stranger(server) as second:
        first.introduce()
        first.read_welcome()  # this one has the block that was ready
        assert wait_until(lambda: len(doorway_of(server)._strangers) == 2)
        with no_descriptors():
            second.introduce()
            welcome = second.read_welcome()
    assert welcome.refusal is not None
    assert "cannot create a lane" in welcome.refusal
    assert "Too many open files" in welcome.refusal
