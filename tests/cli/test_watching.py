"""
Watching a real kernel: asked once, and heard from then on.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from duck_jupyter import KernelGone, NotShared
from duck_jupyter.cli.kernels import KernelFile, link_to
from duck_jupyter.cli.watching import watching
from duck_jupyter.memory.leftovers import sweep
from tests.magics.kernels import Kernel, close_loop
from tests.monitor.fronts import Front
from tests.support.processes import wait_until

from .commands import CODE, DEADLINE_S, duck

if TYPE_CHECKING:
    from duck_jupyter.cli.watching import Watching

pytestmark = pytest.mark.slow

#: Keep what a kernel complains of.
LISTEN = """
import logging
class _Complaints(logging.Handler):
    said = []
    def emit(self, record):
        self.said.append(record.getMessage())
get_ipython().kernel.log.addHandler(_Complaints(logging.WARNING))
"""


def start_top() -> subprocess.Popen[str]:
    """
    Watch the only kernel from another process, without a terminal.
    """
    return subprocess.Popen(
        [sys.executable, "-c", CODE, "top", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def requests_of(front: Front) -> Counter[str]:
    """
    Count what the kernel was asked, by what it has broadcast since.
    """
    return Counter(
        message["parent_header"]["msg_type"].removesuffix("_request")
        for message in front.drain()
        if message["msg_type"] == "status"
        and message["content"]["execution_state"] == "idle"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_kernel_that_runs_a_cell_is_asked_once_and_told_goodbye(
    front: Front, tmp_path: Path, number: signal.Signals
) -> None:
    with front.busy(tmp_path):
        front.drain()
        with start_top() as process:
            assert process.stdout is not None
            found = [json.loads(process.stdout.readline()) for _ in range(4)]
            asked = requests_of(front)
            assert asked == {"comm_info": 1, "kernel_info": 1, "duck_watch": 1}
            process.send_signal(number)
            assert process.wait(DEADLINE_S) == 128 + number
            assert process.stderr is not None
            assert process.stderr.read() == ""
        assert requests_of(front) == {"duck_unwatch": 1}
    assert all(one["whole"] and one["cell"]["running"] for one in found)
    assert all(one["objects"][0]["path"] == "config" for one in found)
    assert [one["seq"] for one in found] == sorted({one["seq"] for one in found})
    assert wait_until(lambda: not front.is_ticking)


def test_a_kernel_without_the_extension_is_asked_nothing_that_it_does_not_know(
    kernel: Kernel,
) -> None:
    kernel.run(LISTEN)
    for words in (["list"], ["top"], ["top", "--once"], ["top", "--json"]):
        duck(*words)
    assert kernel.value("_Complaints.said") == []


def take_all(watched: Watching) -> None:
    """
    Take what comes until there is an error.
    """
    while True:
        watched.next()


def test_it_goes_on_when_the_extension_is_loaded_again(front: Front) -> None:
    file = KernelFile(Path(front.kernel.manager.connection_file))
    with link_to(file, hears=True) as link, watching(link) as watched:
        assert watched.begin().object_count == 1
        assert watched.next().whole
        front.kernel.run("%unload_ext duck_jupyter")
        with pytest.raises(NotShared, match="is not loaded"):
            take_all(watched)
        front.kernel.run("%load_ext duck_jupyter\nagain = [1]\n%share again")
        while not (found := watched.next()).objects:
            pass
        assert [row.path for row in found.objects] == ["again"]
    assert wait_until(lambda: not front.is_ticking)


def restart_and_share(kernel: Kernel) -> None:
    """
    Restart a kernel, and share something in it.
    """
    kernel.manager.restart_kernel(now=True)
    kernel.client.wait_for_ready(timeout=DEADLINE_S)
    kernel.run("%load_ext duck_jupyter\nsecond = 2\n%share second")
    close_loop()


def test_it_goes_on_after_a_restart(own_folders: None) -> None:
    with Kernel() as kernel:
        kernel.run("%load_ext duck_jupyter\nfirst = 1\n%share first")
        file = KernelFile(Path(kernel.manager.connection_file))
        with link_to(file, hears=True) as link, watching(link) as watched:
            found = before = watched.begin()
            # A person does that elsewhere, while this one looks.
            restart = threading.Thread(target=restart_and_share, args=(kernel,))
            restart.start()
            while found.kernel == before.kernel or not found.objects:
                with suppress(NotShared):
                    found = watched.next()
            restart.join()
            assert [row.path for row in found.objects] == ["second"]
            assert found.kernel.pid == Front(kernel).pid


def test_a_kernel_that_was_killed_is_gone(own_folders: None) -> None:
    with Kernel() as kernel:
        kernel.run("%load_ext duck_jupyter\nlast = 1\n%share last")
        file = KernelFile(Path(kernel.manager.connection_file))
        with link_to(file, hears=True) as link, watching(link) as watched:
            watched.begin()
            kernel.end(now=True)
            with pytest.raises(KernelGone, match="has ended"):
                take_all(watched)
    # What it left is found by the next one.
    sweep()
