"""
Memory never surprises: little room, none at all, and processes that are killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from duck_jupyter.memory.leftovers import sweep
from duck_jupyter.proxy import ProxyServer
from tests.magics.kernels import Kernel
from tests.support.blocks import list_blocks, list_folders
from tests.support.cramped import LARGE, SMALL_MB
from tests.support.processes import ROOT, kill, wait_gone, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

STEPS = ("sent", "given", "fetched")


def play(scene: str, folder: Path) -> Any:
    """
    Let a kernel with little room do something, and give what it tells.
    """
    done = run_strictly("-m", "tests.support.cramped", scene, str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def run_strictly(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """
    Run Python, every warning being an error, that of the resource tracker included.
    """
    return subprocess.run(
        [sys.executable, "-W", "error", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


# -- little room


def test_where_shared_memory_is_full_all_goes_to_the_spool_with_one_warning(
    tmp_path: Path,
) -> None:
    told = play("spooled", tmp_path)
    for method in ("spawn", "fork"):
        worker = told[method]
        assert [worker[step] for step in STEPS] == [LARGE] * 3
        assert worker["small"] == 3
        assert len(worker["warnings"]) <= 1
    (warning,) = told["warnings"]
    size, megabytes = re.search(
        rf"no space for ([\d,]+) bytes.* to {tmp_path}.*--shm-size=(\d+)m", warning
    ).groups()  # type: ignore[union-attr]
    assert LARGE <= int(size.replace(",", "")) < LARGE + 100_000
    held = SMALL_MB if told["mounted"] else 0
    # What is held, what is wanted, and at most as much again as is left for others.
    assert 0 <= int(megabytes) * 2**20 - held * 2**20 - LARGE <= 17 * 2**20
    assert told["lives"] == 7
    assert told["left"] == []


def test_with_no_room_anywhere_it_is_a_typed_error_and_the_kernel_lives(
    tmp_path: Path,
) -> None:
    told = play("full", tmp_path)
    for method in ("spawn", "fork"):
        assert re.search(
            rf"^DataTooBigError: .* 25,1\d\d,\d\d\d bytes.* free bytes: "
            rf"[\d,]+ in /dev/shm.*, [\d,]+ in {tmp_path}.*--shm-size",
            told[method]["fetched"],
        ), told[method]["fetched"]
        # A message takes memory of the two processes, and none of these places.
        assert told[method]["sent"] == told[method]["given"] == LARGE
        assert told[method]["small"] == 3
    assert told["warnings"] == []
    assert told["lives"] == 7


def test_memory_that_fills_up_while_it_is_written_is_followed_by_the_spool(
    tmp_path: Path,
) -> None:
    told = play("race", tmp_path)
    assert told["places"] == ["/dev/shm", str(tmp_path)]
    assert told["bytes"] >= 10 * 2**20
    assert len(told["warnings"]) == 1


SHORTEN = """
import os, pickle, sys
from pathlib import Path
proxy = pickle.load(sys.stdin.buffer)
assert len(proxy) == 3
refused = 0
for entry in Path("/proc/self/fd").iterdir():
    if entry.is_symlink() and os.readlink(entry).startswith("/memfd:duck-"):
        try:
            os.ftruncate(int(entry.name), 0)
        except PermissionError:
            refused += 1
print(refused, len(proxy))
"""


def test_a_worker_cannot_end_the_kernel_by_shortening_its_lane(
    server: ProxyServer,
) -> None:
    data = pickle.dumps(server.create_proxy([1, 2, 3]))
    done = subprocess.run(
        [sys.executable, "-c", SHORTEN],
        input=data,
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == b""
    refused, length = map(int, done.stdout.split())
    assert refused >= 1
    assert length == 3


# -- the resource tracker


ATTACH = """
import pickle, sys
from duck_jupyter.client.fetching import fetch
proxy, array = pickle.loads(bytes.fromhex(sys.argv[1]))
block = proxy.get_shared_memory()
view = fetch(array)
print(block.name, int(view.sum()))
"""


def test_unrelated_processes_attach_and_end_without_a_word(
    server: ProxyServer,
) -> None:
    """
    Before Python 3.13 each of them has a tracker that would unlink what others use.
    """
    proxies = server.create_proxy([1]), server.create_proxy(np.ones(100_000))
    data = pickle.dumps(proxies).hex()
    for _ in range(2):
        done = run_strictly("-c", ATTACH, data)
        assert (done.returncode, done.stderr) == (0, "")
        name, total = done.stdout.split()
        assert total == "100000"
        assert (Path("/dev/shm") / name).exists()


OWN_BLOCK = """
import pickle, subprocess, sys
from multiprocessing.shared_memory import SharedMemory
from duck_jupyter.proxy import ProxyServer
with ProxyServer() as server:
    mine = SharedMemory(create=True, size=4096)
    data = pickle.dumps(server.create_proxy([1], mine)).hex()
    code = (
        "import pickle, sys; p = pickle.loads(bytes.fromhex(sys.argv[1])); "
        "print(p.get_shared_memory().name)"
    )
    for _ in range(2):
        words = [sys.executable, "-W", "error", "-c", code, data]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    mine.close()
    mine.unlink()
"""


def test_a_block_that_the_user_made_is_the_users_to_unlink() -> None:
    done = run_strictly("-c", OWN_BLOCK)
    assert (done.returncode, done.stderr) == (0, "")


# -- ends of a kernel

CELL = """
%load_ext duck_jupyter
%config DuckJupyter.pools = False
import os
import numpy as np
from concurrent.futures import ProcessPoolExecutor
from tests.processes.test_memory import hold
%config DuckJupyter.spool_dir = {spool!r}
data = np.ones(200_000)
p = %share data
block = p.get_shared_memory()
pool = ProcessPoolExecutor(2)
list(pool.map(hold, [shared.data] * 2))
# One worker may have done both, while the other was starting.
print(os.getpid(), *pool._processes)
"""

_held: list[Any] = []


def hold(proxy: Any) -> None:
    """
    Hold all that a worker can hold.
    """
    from duck_jupyter.client.fetching import fetch

    _held.extend([proxy, fetch(proxy), proxy.get_shared_memory(), np.asarray(proxy)])


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[Kernel, set[int]]]:
    """
    A kernel that shares an array with a pool, and the numbers of all its processes.

    Its workers live on when it is killed: their end is that of `tests.pools.test_ends`.
    """
    blocks, folders = list_blocks(), list_folders()
    with Kernel() as kernel:
        *_, numbers = kernel.run(start(tmp_path)).splitlines()
        pids = {int(word) for word in numbers.split()}
        yield kernel, pids
        kernel.end()
    for pid in pids:
        wait_gone(pid)
    # A server that starts removes what a killed one could not.
    with ProxyServer():
        pass
    assert list_blocks() <= blocks
    assert list_folders() <= folders
    assert list(tmp_path.iterdir()) == []


def start(spool: Path) -> str:
    return CELL.replace("{spool!r}", repr(str(spool)))


def test_nothing_is_left_after_a_restart(busy: tuple[Kernel, set[int]]) -> None:
    kernel, pids = busy
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=30)
    for pid in pids:
        wait_gone(pid)
    kernel.run("%load_ext duck_jupyter")
    told = kernel.run("print(get_ipython().run_line_magic('duck', 'doctor'))")
    assert "have left nothing" in told


@pytest.mark.parametrize("now", [False, True])
def test_nothing_is_left_after_a_shutdown(
    busy: tuple[Kernel, set[int]], now: bool
) -> None:
    kernel, _ = busy
    kernel.end(now=now)


def test_nothing_is_left_of_a_kernel_and_workers_that_were_killed(
    busy: tuple[Kernel, set[int]],
) -> None:
    _, pids = busy
    for pid in pids:
        # Workers end by themselves once their kernel has.
        with contextlib.suppress(ProcessLookupError):
            kill(pid)


def test_blocks_of_a_killed_kernel_stay_until_its_workers_are_gone(
    busy: tuple[Kernel, set[int]],
) -> None:
    kernel, pids = busy
    found = kernel.value("[os.getpid(), block.name]")
    kernel_pid, name = found
    block = Path("/dev/shm") / name
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    kill(kernel_pid)
    wait_gone(kernel_pid)
    sweep()
    assert block.exists()
    for pid in pids - {kernel_pid}:
        assert psutil.pid_exists(pid)
        kill(pid)
        wait_gone(pid)
    assert wait_until(lambda: (sweep(), not block.exists())[1])
