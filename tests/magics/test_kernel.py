"""
The extension in real kernels, with real workers.
"""

from __future__ import annotations

import multiprocessing
import pickle
import re
from typing import TYPE_CHECKING

import pytest

from duck_jupyter import KernelGone
from tests.support.processes import wait_until

from .kernels import CellError, Kernel

if TYPE_CHECKING:
    from duck_jupyter.proxy import Proxy

pytestmark = pytest.mark.slow

OUR_THREADS = (
    "[t.name for t in __import__('threading').enumerate() if 'duck-' in t.name]"
)
OUR_SOCKETS = (
    "len([c for c in __import__('psutil').Process().net_connections('unix') "
    "if 'duck-' in str(c.laddr)])"
)
POOL = """
import concurrent.futures, multiprocessing
from tests.support.jobs import add, length, record
context = multiprocessing.get_context({method!r})
pool = concurrent.futures.ProcessPoolExecutor(2, mp_context=context)
"""


def take_proxy(kernel: Kernel, name: str) -> Proxy:
    """
    Make this process a worker: take a shared name out of a kernel.
    """
    data = kernel.value(f"__import__('pickle').dumps(shared.{name}).hex()")
    proxy: Proxy = pickle.loads(bytes.fromhex(data))
    return proxy


def test_load_is_quick_and_brings_neither_widgets_nor_a_server(kernel: Kernel) -> None:
    kernel.run(
        "import sys, time\n"
        "started = time.perf_counter()\n"
        "%load_ext duck_jupyter\n"
        "took = time.perf_counter() - started"
    )
    assert kernel.value("took") < 1.0
    heavy = "{'ipywidgets', 'anywidget', 'numpy', 'pandas'}"
    assert kernel.value(f"sorted({heavy} & set(sys.modules))") == []
    assert kernel.value(OUR_THREADS) == []
    kernel.run("%load_ext duck_jupyter")


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers_of_a_cell_use_shared_names(kernel: Kernel, method: str) -> None:
    kernel.run("%load_ext duck_jupyter\nresults, counter = {}, {'n': 0}")
    kernel.run("%share results counter")
    kernel.run(POOL.format(method=method))
    kernel.run(
        "for done in [\n"
        "    *(pool.submit(record, shared.results, i) for i in range(10)),\n"
        "    *(pool.submit(add, shared.counter, 20) for _ in range(4)),\n"
        "]:\n"
        "    done.result(30)\n"
    )
    assert kernel.value("results[9]") == 81
    assert kernel.value("counter") == {"n": 80}
    kernel.run("p = shared.results\nresults = {}")
    assert kernel.value("pool.submit(length, p).result(30)") == 0
    # One may have done all of it, while the other was starting.
    said = kernel.run("print(repr(get_ipython().run_line_magic('duck', 'status')))")
    assert re.search("to (1 worker|2 workers)", said)
    kernel.run("pool.shutdown()")


def test_an_interrupt_ends_the_cell_and_nothing_else(kernel: Kernel) -> None:
    kernel.run("%load_ext duck_jupyter\nimport queue\nwork = queue.Queue()")
    kernel.run("%share work")
    with take_proxy(kernel, "work") as proxy:
        with pytest.raises(CellError, match="KeyboardInterrupt"):
            kernel.run(
                "print('waiting', flush=True)\nshared.work.get()",
                interrupt_at="waiting",
            )
        proxy.put(1)
        assert kernel.value("shared.work.get()") == 1
        kernel.run("%share work")
        assert proxy.qsize() == 0


def test_a_busy_cell_is_interrupted_while_workers_call(kernel: Kernel) -> None:
    kernel.run("%load_ext duck_jupyter\ncounter = {'n': 0}\n%share counter")
    with take_proxy(kernel, "counter") as proxy:
        with pytest.raises(CellError, match="KeyboardInterrupt"):
            kernel.run(
                "print('busy', flush=True)\nwhile True: shared.counter['n']",
                interrupt_at="busy",
            )
        proxy["n"] = 5
        assert kernel.value("counter") == {"n": 5}


def test_what_a_front_end_does_silently_is_followed_too(kernel: Kernel) -> None:
    kernel.run("%load_ext duck_jupyter\ndf = [1, 2]\n%share df")
    with take_proxy(kernel, "df") as proxy:
        kernel.run("df = [1]", silent=True)
        assert len(proxy) == 1


def test_unload_leaves_no_thread_no_socket_and_the_switch_interval(
    kernel: Kernel,
) -> None:
    kernel.run("import sys, psutil\nbefore = sys.getswitchinterval()")
    kernel.run("%load_ext duck_jupyter\ndf = [1]\n%share df")
    assert kernel.value(OUR_THREADS)
    with take_proxy(kernel, "df") as proxy:
        # The interval is shorter while a worker calls and the cell computes.
        assert [len(proxy) for _ in range(1000)] == [1] * 1000
        kernel.run("%unload_ext duck_jupyter")
        assert wait_until(lambda: kernel.value(OUR_THREADS) == [])
        assert wait_until(lambda: kernel.value(OUR_SOCKETS) == 0)
        assert kernel.value("sys.getswitchinterval() == before")
        with pytest.raises(KernelGone):
            len(proxy)


def test_the_end_of_the_kernel_ends_the_server(kernel: Kernel) -> None:
    kernel.run("%load_ext duck_jupyter\ndf = [1]\n%share df")
    with take_proxy(kernel, "df") as proxy:
        assert len(proxy) == 1
        kernel.end()
        with pytest.raises(KernelGone):
            len(proxy)


def test_the_tab_key_completes_names(kernel: Kernel) -> None:
    kernel.run("%load_ext duck_jupyter\nflights = [1]")
    assert kernel.complete("%share fl") == ["flights"]
    kernel.run("%share flights")
    assert kernel.complete("%unshare f") == ["flights"]
    assert kernel.complete("shared.fl") in (["flights"], [".flights"])


def test_a_mistake_shows_as_one_line(kernel: Kernel) -> None:
    kernel.run("%load_ext duck_jupyter\nflights = [1]")
    with pytest.raises(CellError) as caught:
        kernel.run("%share flihgts")
    assert str(caught.value) == (
        "UsageError: There is no variable 'flihgts'. Did you mean flights?"
    )
