"""
``jupyter duck`` beside real kernels.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from jupyter_core.paths import jupyter_runtime_dir

from duck_jupyter.session.snapshot import Snapshot
from tests.magics.kernels import Kernel

from .commands import CODE, DEADLINE_S, duck, terminal

if TYPE_CHECKING:
    from tests.monitor.fronts import Front
    from tests.support.workers import Worker

pytestmark = pytest.mark.slow

READ = """
import pickle
proxy = pickle.loads(bytes.fromhex(data))
for _ in range(times):
    proxy["depth"]
"""


def name_of(kernel: Kernel) -> str:
    """
    Give what a kernel's connection file is known by.
    """
    return Path(kernel.manager.connection_file).stem.removeprefix("kernel-")


def test_the_only_kernel_is_shown_while_it_runs_a_cell(
    front: Front, worker: Worker, tmp_path: Path
) -> None:
    data = front.kernel.value("__import__('pickle').dumps(shared.config).hex()")
    worker.exec(READ, data=data, times=30)
    with front.busy(tmp_path) as number:
        done = duck("top", "--once")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Serving 1 object to 1 worker")
    assert lines[0].endswith(f"cell [{number}] runs")
    (row,) = [line for line in lines if line.startswith("config")]
    assert row.split()[:5] == ["config", "dict", "1", "key", "live"]
    assert [line for line in lines if line.split()[:1] == [str(worker.pid)]]
    assert lines[-1].startswith("Shared memory: ")


def test_the_kernel_is_left_as_it_was(front: Front) -> None:
    """
    No cell, no history, no output, no more threads, and nobody who looks.
    """
    state = (
        "[get_ipython().execution_count, len(In), len(Out), "
        "[t.name for t in __import__('threading').enumerate()], "
        "[name for name in sorted(globals()) if name[0] != '_']]"
    )
    front.kernel.value(state)
    front.kernel.value(state)
    before = front.kernel.value(state)
    front.drain()
    assert duck("top", "--once").returncode == 0
    assert duck("list").returncode == 0
    heard = {message["msg_type"] for message in front.drain()}
    after = front.kernel.value(state)
    # Those are of the cells that ask.
    assert after[:2] == [before[0] + 1, before[1] + 1]
    assert after[2:] == before[2:]
    assert heard <= {"status"}


def test_it_is_given_as_json(front: Front) -> None:
    done = duck("top", "--json", "--once")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = msgspec.json.decode(line, type=Snapshot)
    assert (found.whole, found.object_count) == (True, 1)
    assert json.loads(line)["objects"][0]["path"] == "config"


def test_json_goes_on_until_it_is_interrupted(front: Front) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "top", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        numbers = [json.loads(process.stdout.readline())["seq"] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 130
        assert process.stderr.read() == ""
    assert numbers[0] < numbers[1]


def test_it_ends_quietly_when_nobody_reads_on(front: Front) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "top", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(DEADLINE_S) == 1
        assert process.stderr.read() == ""


@pytest.mark.parametrize("part", [slice(None), slice(0, 8)])
def test_a_kernel_is_found_by_its_id(front: Front, part: slice) -> None:
    done = duck("top", "--once", "--existing", name_of(front.kernel)[part])
    assert done.returncode == 0, done.stderr
    assert "config" in done.stdout


def test_a_kernel_is_found_by_its_file(front: Front) -> None:
    done = duck("top", "--once", "--existing", front.kernel.manager.connection_file)
    assert done.returncode == 0, done.stderr
    assert "config" in done.stdout


def test_a_kernel_that_is_not_there_is_named(front: Front) -> None:
    done = duck("top", "--once", "--existing", "nobody")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("There is no kernel 'nobody'.")
    assert len(done.stderr.splitlines()) == 1


def test_of_several_kernels_one_is_chosen(front: Front) -> None:
    """
    In a terminal it asks; elsewhere it says how to choose.
    """
    with Kernel() as other:
        other.run("%load_ext duck_jupyter\nsecond = 'two'\n%share second")
        done = duck("top", "--once")
        assert done.returncode == 1
        assert done.stderr.startswith("2 kernels run: choose one with --existing")
        assert name_of(front.kernel) in done.stderr

        # The one that began last comes first.
        with terminal("top", "--once") as shown:
            shown.until("Which kernel")
            assert "second; 0 workers" in shown.shown
            assert "config; " in shown.shown
            shown.type("2\n")
            shown.until("Serving 1 object")
            assert "config" in shown.until("Shared memory")

        listed = duck("list").stdout.splitlines()
        assert [line.split()[0] for line in listed[::2]] == [
            *(name_of(other), name_of(front.kernel)),
        ]


def test_what_runs_is_listed(front: Front) -> None:
    done = duck("list")
    assert done.returncode == 0, done.stderr
    kernel, file = done.stdout.splitlines()
    assert kernel == f"{name_of(front.kernel)}  config; 0 workers"
    assert file.strip() == front.kernel.manager.connection_file


def test_a_kernel_without_the_extension_is_said_to_share_nothing(
    kernel: Kernel,
) -> None:
    assert "the extension is not loaded" in duck("list").stdout
    done = duck("top", "--once")
    assert done.returncode == 1
    assert "%load_ext duck_jupyter" in done.stderr


def test_a_kernel_with_nothing_shared_says_so(kernel: Kernel) -> None:
    kernel.run("%load_ext duck_jupyter")
    try:
        assert "nothing yet" in duck("list").stdout
        assert "%share NAME" in duck("top", "--once").stdout
    finally:
        kernel.run("%unload_ext duck_jupyter")


def test_a_file_of_a_dead_kernel_is_passed_over(front: Front) -> None:
    folder = Path(jupyter_runtime_dir())
    info: dict[str, Any] = json.loads(
        Path(front.kernel.manager.connection_file).read_text()
    )
    ports = [name for name in info if name.endswith("_port")]
    # No hexadecimal digits: names of kernels are made of them.
    dead, broken = folder / "kernel-gone.json", folder / "kernel-broken.json"
    dead.write_text(json.dumps({**info, **dict.fromkeys(ports, 1)}))
    broken.write_text("{")
    try:
        assert "config" in duck("top", "--once").stdout
        assert "gone" not in duck("list").stdout
        done = duck("top", "--once", "--existing", "gone")
        assert (done.returncode, done.stderr) == (1, "The kernel gone has ended.\n")
    finally:
        dead.unlink()
        broken.unlink()


def test_a_kernel_of_another_language_is_listed_as_one(
    front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "kernels" / "speaker"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "tests.support.speaker", "-f", "{connection_file}"]
    words = {"argv": argv, "display_name": "Speaker", "language": "R"}
    (spec / "kernel.json").write_text(json.dumps(words))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with Kernel("speaker"):
        done = duck("list")
    assert "nothing: it speaks R" in done.stdout
    assert "config" in done.stdout


def test_a_kernel_that_ends_ends_the_view(own_folders: None) -> None:
    with Kernel() as kernel:
        kernel.run("%load_ext duck_jupyter\nlast = 1\n%share last")
        path = kernel.manager.connection_file
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, "top", "--json", "--existing", path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            kernel.end()
            assert process.wait(DEADLINE_S) == 1
            assert process.stderr.read().endswith("has ended.\n")


@pytest.mark.alone
def test_the_doctor_shows_and_removes_what_the_dead_left(own_folders: None) -> None:
    # Other programs of this machine may have left something, too.
    assert duck("doctor", "--clean").returncode == 0
    left = Path(os.environ["TMPDIR"]) / "duck-1-abcdefgh"
    left.mkdir()
    done = duck("doctor")
    assert done.returncode == 0, done.stderr
    assert str(left) in done.stdout
    assert "jupyter duck doctor --clean" in done.stdout
    assert "1 thing was removed" in duck("doctor", "--clean").stdout
    assert not left.exists()


def test_jupyter_knows_it(own_folders: None) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "duck", "--help"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "usage: jupyter duck" in done.stdout


@pytest.mark.parametrize("words", [(), ("dance",), ("top", "--often")])
def test_what_is_no_command_is_refused(words: tuple[str, ...]) -> None:
    done = duck(*words)
    assert done.returncode == 2
    assert "usage: jupyter duck" in done.stderr
