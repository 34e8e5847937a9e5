"""
Finding kernels by their connection files, and asking one.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter import KernelGone
from duck_jupyter.cli.kernels import KernelFile, link_to, running_kernels, the_file
from duck_jupyter.errors import NotShared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.monitor.fronts import Front


@contextmanager
def listening() -> Iterator[int]:
    """
    Listen on a port, and say nothing.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def write(path: Path, port: int = 1, **more: Any) -> KernelFile:
    """
    Write a connection file.
    """
    ports = ("shell", "iopub", "stdin", "control", "hb")
    info = {
        **{f"{name}_port": port for name in ports},
        "ip": "127.0.0.1",
        "transport": "tcp",
        "key": "",
        "signature_scheme": "hmac-sha256",
        **more,
    }
    path.write_text(json.dumps(info))
    return KernelFile(path)


def test_a_kernel_is_alive_where_somebody_listens(tmp_path: Path) -> None:
    path = tmp_path / "kernel-1.json"
    assert not KernelFile(path).is_alive()
    with listening() as port:
        assert write(path, port).is_alive()
    assert not write(path, port).is_alive()
    assert KernelFile(path).name == "1"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"ip": 1}'])
def test_a_file_that_is_none_is_no_kernel(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kernel-1.json"
    path.write_text(text)
    assert not KernelFile(path).is_alive()


@pytest.mark.parametrize("port", [-1, 10**6, "x", None])
def test_a_port_that_is_none_is_no_kernel(tmp_path: Path, port: Any) -> None:
    assert not write(tmp_path / "kernel-1.json", port).is_alive()


def test_a_kernel_may_have_a_socket_file(tmp_path: Path) -> None:
    ip = str(tmp_path / "ipc")
    file = write(tmp_path / "kernel-1.json", 4, ip=ip, transport="ipc")
    assert not file.is_alive()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{ip}-4")
        assert file.is_alive()


def test_those_that_run_are_listed_the_last_one_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    assert running_kernels() == []
    with listening() as port:
        for age, name in enumerate(("new", "old", "oldest")):
            write(tmp_path / f"kernel-{name}.json", port)
            os.utime(tmp_path / f"kernel-{name}.json", (1000 - age, 1000 - age))
        write(tmp_path / "kernel-dead.json")
        write(tmp_path / "jpserver-1.json", port)
        found = [file.name for file in running_kernels()]
    assert found == ["new", "old", "oldest"]


def test_a_file_is_found_by_a_part_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    file = write(tmp_path / "kernel-abc-def.json")
    for name in ("abc-def", "c-d", str(file.path), "kernel-abc-def.json"):
        assert the_file(name).path.samefile(file.path)
    with pytest.raises(NotShared, match="jupyter duck list"):
        the_file("xyz")


def test_who_is_silent_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with listening() as port:
        file = write(tmp_path / "kernel-1.json", port)
        with link_to(file) as link:
            assert link.ask("kernel_info", patience=0.2) is None
            with pytest.raises(NotShared, match="one long call"):
                link.look(patience=0.2)


def test_who_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    file = write(tmp_path / "kernel-1.json")
    with link_to(file) as link, pytest.raises(KernelGone):
        link.look(patience=60.0)


@pytest.mark.slow
def test_an_error_in_the_kernel_and_another_version_are_told(front: Front) -> None:
    (file,) = running_kernels()
    front.kernel.run(
        "import duck_jupyter.monitor.ticker as _ticker\n"
        "_real, _ticker.snapshot_of = _ticker.snapshot_of, None"
    )
    with link_to(file) as link, pytest.raises(NotShared, match="TypeError"):
        link.look()
    front.kernel.run("_ticker.snapshot_of = lambda *args, **more: {'schema': 2}")
    with link_to(file) as link, pytest.raises(NotShared, match="another version"):
        link.look()
    front.kernel.run("_ticker.snapshot_of = _real")
    with link_to(file) as link:
        assert link.identity() == ("python", True)
        assert link.look().object_count == 1
