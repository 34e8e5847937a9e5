"""
A real kernel that ends while somebody looks: nothing is said on its way out.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import duck_jupyter
from tests.magics.kernels import DEADLINE_S, Kernel
from tests.monitor.fronts import Front
from tests.support.processes import is_gone, wait_until

pytestmark = pytest.mark.slow

#: What the kernel says to its terminal goes to a file, and so do the stacks of a kernel
#: that does not end.
TO_FILE = """
import faulthandler as _faulthandler, os as _os
_os.dup2(_os.open({path!r}, _os.O_WRONLY), 2)
_faulthandler.dump_traceback_later({late_s}, file=2)
"""
#: Ticks follow one another without a rest. ipykernel's control thread flushes what is
#: printed while its main thread closes the way there. It waits 10 s for each of these
#: flushes, and there may be three of them.
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
#: What tracebacks have of our code; our threads are named "duck-...".
PACKAGE = str(Path(duck_jupyter.__file__).parent)
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
        kernel.run(OFTEN + TO_FILE.format(path=str(said), late_s=DEADLINE_S))
        front = Front(kernel)
        front.ask("duck_watch", viewer="panel", quiet=True)
        front.tick(lambda tick: not tick["whole"])
        pid, code = front.pid, ENDS[way]
        if code is None:
            front.client.shutdown()
        else:
            front.begin(code)
        # Until some time after it has said where it is.
        assert wait_until(lambda: is_gone(pid), DEADLINE_S + 5), said.read_text()
    # ipykernel's own threads may say that they come too late.
    text = said.read_text()
    assert PACKAGE not in text
    assert "duck-" not in text


def test_what_cannot_be_sent_any_more_is_let_go(front: Front) -> None:
    front.kernel.run(LATE)
    assert front.kernel.value("said") == []
