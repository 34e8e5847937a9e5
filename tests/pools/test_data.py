"""
The data that functions of cells mention: shared, large, or inherited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pools import METHODS, POOLS
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.magics.kernels import Kernel

    from .kernels import PoolKernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PREPARE = """
import gc, multiprocessing, os
import numpy as np, pandas as pd
from duck_jupyter.pools import large
from tests.support.handed import lies_in_a_file
from tests.support.processes import wait_until

frame = pd.DataFrame({"x": np.arange(200_000.0)})
results = {}
large_one = np.arange(200_000.0)
def kept():
    large.release_unused()
    return large._store.versions().kept if large._store else 0
"""


@pytest.fixture(scope="module")
def cells(notebook: Kernel) -> Kernel:
    notebook.run(PREPARE)
    notebook.run("%share frame results")
    return notebook


@pytest.mark.parametrize("kind", POOLS)
def test_a_shared_name_goes_as_a_handle_and_is_live_beside(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "results.clear()\n"
        "def work(i):\n"
        "    shared.results[i] = os.getpid()\n"
        "    values = frame['x'].to_numpy()\n"
        "    return lies_in_a_file(values), values[i], len(shared.frame)\n"
        "frame.iloc[1, 0] = -1\n"
        f"found = pools[{kind!r}](work, [1, 2])\n"
        "frame.iloc[1, 0] = -2\n"
        f"found += pools[{kind!r}](work, [1])\n"
    )
    assert cells.value("found") == [
        [True, -1.0, 200_000],
        [True, 2.0, 200_000],
        [True, -2.0, 200_000],
    ]
    assert cells.value("sorted(results)") == [1, 2]


@pytest.mark.parametrize("kind", POOLS)
def test_what_is_shared_in_place_is_in_place_in_a_function(
    cells: Kernel, kind: str
) -> None:
    cells.run(
        "squares = np.zeros(4)\n"
        "def write(i):\n"
        "    squares[i] = i * i\n"
        "    return float(squares[0])\n"
    )
    cells.run("%share --inplace squares")
    cells.run(
        f"pools[{kind!r}](write, [1, 2, 3])\n"
        "squares[0] = 7\n"
        f"found = pools[{kind!r}](write, [1])\n"
    )
    assert cells.value("found") == [7.0]
    assert cells.value("squares.tolist()") == [7.0, 1.0, 4.0, 9.0]
    cells.run("%unshare squares")


@pytest.mark.parametrize("kind", POOLS)
def test_what_a_closure_holds_goes_as_a_handle(cells: Kernel, kind: str) -> None:
    cells.run(
        "def make(data, more):\n"
        "    def work(i):\n"
        "        values = data['x'].to_numpy()\n"
        "        return lies_in_a_file(values), lies_in_a_file(more), more[i]\n"
        "    return work\n"
        f"found = pools[{kind!r}](make(frame, large_one), [3])\n"
    )
    assert cells.value("found") == [[True, True, 3.0]]


@pytest.mark.parametrize("kind", POOLS)
def test_large_data_that_is_not_shared_is_handed_over_once(
    cells: Kernel, kind: str
) -> None:
    """
    Each task sees the state when it was submitted, and only a new state is published.
    """
    cells.run(
        "mine = np.arange(200_000.0)\n"
        "before = kept()\n"
        "def work(i):\n"
        "    return lies_in_a_file(mine), mine[i]\n"
        f"found = pools[{kind!r}](work, list(range(8)))\n"
        "once = kept() - before\n"
        "mine[1] = -1\n"
        f"found += pools[{kind!r}](work, [1])\n"
    )
    assert cells.value("found") == [*([True, n] for n in range(8)), [True, -1.0]]
    assert cells.value("once") == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_task_sends_few_bytes(cells: Kernel, method: str) -> None:
    cells.run(
        "from multiprocessing.reduction import ForkingPickler\n"
        "from duck_jupyter.pools.cells import Sent\n"
        "def work(i):\n"
        "    return frame, large_one, shared.results, i\n"
        "size = len(ForkingPickler.dumps(Sent(work)))\n"
    )
    assert cells.value("size") < 5_000


def test_memory_goes_with_the_data(cells: Kernel) -> None:
    cells.run(
        "from concurrent.futures import ProcessPoolExecutor\n"
        "mine = np.arange(200_000.0)\n"
        "def work(i):\n"
        "    return mine[i]\n"
        "context = multiprocessing.get_context('spawn')\n"
        "with ProcessPoolExecutor(1, context) as pool:\n"
        "    found = list(pool.map(work, [1, 2]))\n"
        "key = id(mine)\n"
        "there, before = key in large._publications, kept()\n"
    )
    assert cells.value("there") is True
    cells.run("del mine")
    cells.run("gc.collect()")
    assert cells.value("wait_until(lambda: kept() < before)") is True
    assert cells.value("key in large._publications") is False


def test_a_forked_worker_is_sent_nothing_that_it_has_inherited(cells: Kernel) -> None:
    cells.run(
        "mine, items = np.arange(200_000.0), list(range(200_000))\n"
        "def work(i):\n"
        "    return id(mine), id(items), mine[i], items[i]\n"
        "published = len(large._publications)\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "with ProcessPoolExecutor(2, multiprocessing.get_context('fork')) as pool:\n"
        "    found = list(pool.map(work, [1, 2]))\n"
        "    same = [x[:2] == (id(mine), id(items)) for x in found]\n"
        "    unpublished = len(large._publications) == published\n"
        "    mine, items = mine + 1, [0, 5]\n"
        "    anew = pool.submit(work, 1).result()\n"
    )
    assert cells.value("[same, unpublished, anew[2:]]") == [
        [True, True],
        True,
        [2.0, 5],
    ]


def test_a_name_that_is_not_shared_says_how(cells: Kernel) -> None:
    cells.run(
        "said = ''\n"
        "def work(i):\n"
        "    return shared.missing\n"
        "try:\n"
        "    pools['pool spawn'](work, [1])\n"
        "except Exception as error:\n"
        "    said = str(error)\n"
    )
    assert "%share missing" in cells.value("said")


CHANGING = """
import numpy as np
from duck_jupyter import statistics
from duck_jupyter.data import store
from duck_jupyter.memory.folders import memory_place
data = np.zeros(100_000)
get_ipython().run_line_magic("share", "data")
store.AWAITED_SHARE = 5.5 * data.nbytes / memory_place().capacity
def first(data): return int(data[0])
pool = make("Pool", "fork")
"""


def test_a_pool_lets_go_of_data_in_the_cell_that_goes_on(
    own_kernel: PoolKernel,
) -> None:
    """
    A loop that changes data between two tasks must not keep a version for each task.
    """
    assert not own_kernel.cell(CHANGING).error
    ran = own_kernel.cell(
        "most = 0\n"
        "for n in range(20):\n"
        "    data[:] = n\n"
        "    assert pool.map(first, [data]) == [n]\n"
        "    most = max(most, statistics().proxies[0].versions)\n"
        "print(most <= 3 or most)"
    )
    assert (ran.text, ran.error) == ("True\n", "")
    ran = own_kernel.cell(
        "kept = []\n"
        "for n in range(20):\n"
        "    data[:] = n\n"
        "    kept.append(pool.apply_async(first, (data,)))\n"
        "print([task.get(20) for task in kept] == list(range(20)))"
    )
    assert (ran.text, ran.error) == ("True\n", "")
    assert not own_kernel.cell("end(pool)").error


@pytest.mark.parametrize("method", METHODS)
def test_a_process_has_the_shared_names(own_kernel: PoolKernel, method: str) -> None:
    """
    Also a forked one, which inherits its function and unpickles nothing.
    """
    ran = own_kernel.cell(
        "results = {}\n"
        "get_ipython().run_line_magic('share', 'results')\n"
        "def note(n): shared.results[n] = n\n"
        f"context = multiprocessing.get_context({method!r})\n"
        "process = context.Process(target=note, args=(3,))\n"
        "process.start(); process.join(20)\n"
        "print(results, process.exitcode, shared.results)"
    )
    assert (ran.text.splitlines()[-1], ran.error) == ("{3: 3} 0 {3: 3}", "")


def test_what_one_worker_gets_from_another_comes_back_as_what_it_is(
    own_kernel: PoolKernel,
) -> None:
    """
    Each worker numbers what it sends by itself, and the notebook has other numbers.
    """
    ran = own_kernel.cell(
        "context = multiprocessing.get_context('spawn')\n"
        "queue = context.Queue()\n"
        "class Thing:\n"
        "    def __init__(self, i):\n"
        "        self.i = i\n"
        "def first(i): return i\n"
        "def keep(given):\n"
        "    global kept\n"
        "    kept = given\n"
        "def put(i): kept.put(Thing(i))\n"
        "def get(): return kept.get(timeout=20)\n"
        "one = make('executor', 'spawn', 1, keep, (queue,))\n"
        "other = make('executor', 'spawn', 1, keep, (queue,))\n"
        "print(result(submit(one, first, 1)))\n"
        "result(submit(one, put, 5))\n"
        "thing = result(submit(other, get))\n"
        "print(type(thing) is Thing, thing.i)"
    )
    assert (ran.text, ran.error) == ("1\nTrue 5\n", "")
    ran = own_kernel.cell(
        "while pools: end(pools.pop())\nqueue.close()\nqueue.join_thread()"
    )
    assert not ran.error


@pytest.mark.parametrize(
    ("kind", "method"),
    [*[(kind, x) for kind in ("executor", "Pool") for x in METHODS], ("loky", "spawn")],
)
def test_an_idle_worker_keeps_nothing_of_its_first_task(
    own_kernel: PoolKernel, kind: str, method: str
) -> None:
    ran = own_kernel.cell(
        "import weakref\n"
        "class Large: pass\n"
        "def note(large):\n"
        "    global seen\n"
        "    seen = weakref.ref(large)\n"
        "def is_gone(_): return seen() is None\n"
        f"pool = make({kind!r}, {method!r}, 1)\n"
        "result(submit(pool, note, Large()))\n"
        "print(result(submit(pool, is_gone, 0)))\n"
        "end(pools.pop())"
    )
    assert (ran.text, ran.error) == ("True\n", "")


def test_joblib_removes_the_files_of_its_arrays(
    own_kernel: PoolKernel, tmp_path: Path
) -> None:
    """
    It does so once no worker has an array any more.
    """
    own_kernel.cell(
        "import numpy as np\n"
        f"options = {{'max_nbytes': 1, 'temp_folder': {str(tmp_path)!r}}}\n"
        "with joblib.Parallel(2, **options) as parallel:\n"
        "    parallel(joblib.delayed(np.sum)(np.ones(10)) for _ in range(4))"
    )
    assert wait_until(lambda: not list(tmp_path.iterdir()), 20.0)
    own_kernel.cell(
        "joblib.externals.loky.get_reusable_executor().shutdown(kill_workers=True)"
    )
