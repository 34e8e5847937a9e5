"""
A real kernel that ends while somebody looks: nothing is said on its way out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.magics.kernels import DEADLINE_S, Kernel
from tests.monitor.fronts import Front
from tests.support.processes import wait_gone

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

#: What the kernel says to its terminal goes to a file.
TO_FILE = "import os as _os; _os.dup2(_os.open({path!r}, _os.O_WRONLY), 2)"
#: Ticks follow one another without a rest. ipykernel waits 10 s for each of its flushes
#: that comes too late (see `LATE_FLUSH`), and there may be three of them.
OFTEN = """
import ipykernel.iostream as _iostream
_iostream.OutStream.flush_timeout = 0.5
import duck_jupyter.monitor.ticker as _ticker
import duck_jupyter.monitor.viewers as _viewers
_ticker.LEAST_REST = 0
_viewers.Leases.period_s = property(lambda self: 0.0)
"""
ENDS = {
    "a request": None,
    "a cell": "exit",
    "nothing but its loop": "_loop = get_ipython().kernel.io_loop\n"
    "_ = _loop.add_callback(_loop.stop)",
}
#: ipykernel's own: its control thread flushes the output while its main thread closes
#: what the output goes through.
LATE_FLUSH = "IOStream.flush timed out"
#: The monitor sends in a thread whose way to the front ends was closed.
LATE = """
import threading
from duck_jupyter.magics.extension import _loaded
said = []
def send():
    get_ipython().kernel.iopub_thread._event_pipe.close()
    try:
        _loaded[get_ipython()]._sockets._broadcast({"kind": "loaded"})
    except BaseException as error:
        said.append(repr(error))
thread = threading.Thread(target=send)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("way", ENDS)
def test_a_kernel_that_ends_while_somebody_looks_says_nothing(
    own_folders: None, tmp_path: Path, way: str
) -> None:
    said = tmp_path / "said"
    said.touch()
    with Kernel() as kernel:
        kernel.run("%load_ext duck_jupyter\nlast = 1\n%share last")
        kernel.run(OFTEN + TO_FILE.format(path=str(said)))
        front = Front(kernel)
        front.ask("duck_watch", viewer="panel", quiet=True)
        front.tick(lambda tick: not tick["whole"])
        pid, code = front.pid, ENDS[way]
        if code is None:
            front.client.shutdown()
        else:
            front.begin(code)
        wait_gone(pid, DEADLINE_S)
    lines = said.read_text().splitlines()
    assert [line for line in lines if line != LATE_FLUSH] == []


def test_what_cannot_be_sent_any_more_is_let_go(front: Front) -> None:
    front.kernel.run(LATE)
    assert front.kernel.value("said") == []
