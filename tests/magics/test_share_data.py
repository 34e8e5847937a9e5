"""
%share and its data, in real kernels with real pools.
"""

from __future__ import annotations

import multiprocessing
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter import KernelGone
from duck_jupyter.client.fetching import fetch
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.session.api import own_session
from tests.support.processes import kill, wait_gone

from .kernels import CellError, Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cells import Cells

SIZE = 100_000
METHODS = multiprocessing.get_all_start_methods()
START = """
import concurrent.futures, multiprocessing, os
import numpy as np, pandas as pd
from multiprocessing.reduction import ForkingPickler
from tests.support.jobs import fetch_and_add, fetch_total, total, write_first
from tests.support.picklers import look_at
%load_ext duck_jupyter

def pickled(value):
    return len(ForkingPickler.dumps(value))

def start(method):
    context = multiprocessing.get_context(method)
    return concurrent.futures.ProcessPoolExecutor(2, mp_context=context)
"""
FRAME = f"df = pd.DataFrame({{'a': np.zeros({SIZE}), 'b': 1.5}})\n"
ARRAY = f"arr = np.zeros({SIZE})\n"


@pytest.fixture(scope="module")
def notebook(own_folders: None) -> Iterator[Kernel]:
    """
    A kernel with pools of each start method, for all tests that do not end it.
    """
    with Kernel() as kernel:
        kernel.run(START)
        kernel.run(f"pools = {{method: start(method) for method in {METHODS}}}")
        for method in METHODS:
            kernel.run(f"list(pools[{method!r}].map(abs, range(8)))")
        # It starts the server, which stays.
        kernel.run("x = 1\n%share x\n%unshare x")
        yield kernel
        kernel.run("for pool in pools.values(): pool.shutdown()")


@pytest.fixture
def fresh(kernel: Kernel) -> Kernel:
    """
    A kernel of the test's own.
    """
    kernel.run(START)
    return kernel


@pytest.fixture(params=METHODS)
def pool(notebook: Kernel, request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """
    The kernel, where ``pool`` is one of a start method, and nothing is shared.
    """
    notebook.run(f"pool = pools[{request.param!r}]")
    yield notebook
    notebook.run("%unshare --all")


def take(kernel: Kernel, expression: str) -> Any:
    """
    Make this process a worker: take what a pool of the kernel would be sent.
    """
    data = kernel.value(f"bytes(ForkingPickler.dumps({expression})).hex()")
    return pickle.loads(bytes.fromhex(data))


# -- pools ---------------------------------------------------------------------------


@pytest.mark.slow
def test_tasks_get_the_variable_in_the_state_that_it_is_in(pool: Kernel) -> None:
    pool.run(FRAME + "%share df")
    assert pool.value("pickled([df] * 8)") < 2048
    assert pool.value("list(pool.map(total, [df] * 8))") == [0] * 8
    pool.run(
        "first = pool.submit(total, df).result(30)\n"
        "df.loc[0, 'a'] = 1.0\n"
        "second = pool.submit(total, df).result(30)\n"
        "df.loc[1, 'a'] = 1.0\n"
        "third = list(pool.map(total, [df, df]))\n"
    )
    assert pool.value("[first, second, third]") == [0, 1, [2, 2]]
    assert pool.value("pool.submit(fetch_total, shared.df).result(30)") == 2


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["", "--frozen"])
def test_a_variable_rebound_in_the_cell_of_the_pool_goes_as_what_it_is(
    pool: Kernel, flag: str
) -> None:
    pool.run(FRAME + f"%share {flag} df\nlist(pool.map(total, [df] * 2))")
    pool.run(
        "df = df + 1\n"
        "small = pickled(df) < 2048\n"
        "sums = list(pool.map(total, [df] * 3))\n"
    )
    assert pool.value("[small, sums]") == [True, [SIZE] * 3]


@pytest.mark.slow
def test_a_frozen_variable_is_not_looked_at_again(pool: Kernel) -> None:
    pool.run(ARRAY + "%share --frozen arr\nlist(pool.map(total, [arr] * 2))")
    pool.run("arr += 1\nsums = list(pool.map(total, [arr] * 2))")
    assert pool.value("sums") == [0, 0]


@pytest.mark.slow
def test_with_no_handover_it_is_pickled_as_ever(pool: Kernel) -> None:
    pool.run("before = look_at()\n" + ARRAY + "%share --no-handover arr")
    assert pool.value("pickled(arr)") > SIZE
    assert pool.value("before == look_at()") is True
    assert pool.value("list(pool.map(total, [arr] * 2))") == [0, 0]
    assert pool.value("pool.submit(fetch_total, shared.arr).result(30)") == 0


@pytest.mark.slow
def test_workers_write_to_copies_of_their_own(pool: Kernel) -> None:
    pool.run(ARRAY + "%share arr")
    found = pool.value("list(pool.map(write_first, [arr] * 6, range(1, 7)))")
    assert found == [[0, value] for value in range(1, 7)]
    assert pool.value("float(arr[0])") == 0


@pytest.mark.slow
def test_in_place_workers_and_the_notebook_write_to_one_array(pool: Kernel) -> None:
    pool.run(ARRAY + "before = arr\np = %share --inplace arr")
    assert pool.value("before is arr") is False
    pool.run("for i in range(4): pool.submit(fetch_and_add, p, 10).result(30)")
    assert pool.value("float(arr[0])") == 40
    pool.run("arr[0] += 2\nlast = pool.submit(fetch_and_add, p, 0).result(30)")
    assert pool.value("last") == 42
    # The variable itself is the same to a pool.
    assert pool.value("pool.submit(write_first, arr, 7).result(30)") == [42, 7]
    assert pool.value("float(arr[0])") == 7
    pool.run("%share --inplace arr\nshm = arr\n%unshare arr")
    assert pool.value("[float(arr[0]), arr is shm, float(shm[0])]") == [7, False, 7]
    assert pool.value("pickled(arr)") > SIZE
    pool.run("del shm, p")


# -- ends ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "end", ["%unshare df", "%unshare --all", "%reset_selective -f ^df$"]
)
def test_when_sharing_ends_pools_pickle_as_ever(notebook: Kernel, end: str) -> None:
    notebook.run("before = look_at()\n" + FRAME + "kept = df\n%share df")
    assert notebook.value("pickled(kept)") < 2048
    notebook.run(end)
    assert notebook.value("pickled(kept)") > SIZE
    assert notebook.value("before == look_at()") is True
    notebook.run("del kept")


@pytest.mark.slow
def test_after_unloading_and_after_a_restart_pools_pickle_as_ever(
    fresh: Kernel,
) -> None:
    fresh.run("%unload_ext duck_jupyter\nbefore = look_at()\n%load_ext duck_jupyter")
    fresh.run(FRAME + ARRAY + "%share df\nsame = %share --inplace arr")
    fresh.run("del same\narr[3] = 5\ninplace = arr\n%unload_ext duck_jupyter")
    assert fresh.value("before == look_at()") is True
    assert fresh.value("pickled(df) > 8 * df.size") is True
    assert fresh.value("[arr is inplace, float(arr[3])]") == [False, 5]
    fresh.run("%load_ext duck_jupyter\nloaded = look_at()\n%share df")
    assert fresh.value("pickled(df)") < 2048
    fresh.run("%duck stop")
    assert fresh.value("loaded == look_at()") is True
    assert fresh.value("pickled(df) > 8 * df.size") is True
    fresh.run("%share df")
    fresh.manager.restart_kernel()
    fresh.client.wait_for_ready(timeout=30)
    fresh.run(START + FRAME)
    assert fresh.value("pickled(df) > 8 * df.size") is True


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "shut down", "restarted"])
def test_what_a_worker_has_outlives_the_kernel(fresh: Kernel, how: str) -> None:
    fresh.run(ARRAY + FRAME + "arr += 3\n%share arr df")
    proxy = take(fresh, "shared.arr")
    fetched, handed = fetch(proxy), take(fresh, "arr")
    fresh.run("%share --inplace df\ndf.iloc[0, 0] = 8")
    frame = take(fresh, "df")
    late = fresh.value("bytes(ForkingPickler.dumps(arr)).hex()")
    pid = fresh.value("os.getpid()")
    if how == "killed":
        kill(pid)
    elif how == "restarted":
        fresh.manager.restart_kernel()
        fresh.client.wait_for_ready(timeout=30)
    else:
        fresh.end()
    wait_gone(pid)
    for array in (fetched, handed):
        assert array.sum() == 3 * SIZE
        array[0] = 4
        assert array.sum() == 3 * SIZE + 1
    assert frame.iloc[:, 0].sum() == 8
    frame.iloc[1, 0] = 1
    assert frame.iloc[:, 0].sum() == 9
    with pytest.raises(KernelGone):
        fetch(proxy)
    with pytest.raises(KernelGone, match="'arr'"):
        pickle.loads(bytes.fromhex(late))
    # What a killed kernel left, the next server removes.
    fresh.end()
    with ProxyServer():
        pass


@pytest.mark.slow
def test_an_error_of_publishing_reaches_the_cell(notebook: Kernel) -> None:
    notebook.run(
        "import threading\nclass Model: pass\n"
        "model = Model(); model.steps = [1, threading.Lock()]\n%share model"
    )
    said = r"DataEncodeError: model\.steps\[1\] is a _thread\.lock"
    with pytest.raises(CellError, match=said):
        notebook.run("pools['spawn'].submit(total, model).result(30)")
    with pytest.raises(CellError, match=said):
        notebook.run("pools['spawn'].submit(fetch_total, shared.model).result(30)")
    assert notebook.value("list(pools['spawn'].map(abs, [-1]))") == [1]
    notebook.run("%unshare model")


# -- words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%share --frozen --inplace arr", "not both"),
        ("%share --inplace numbers", "'numbers' is a list"),
        ("%share --inplace arr numbers", "'numbers' is a list"),
        ("%share --inplace words", "column 'b' of 'words' is"),
        ("%share --frozen", "must be given the name of a variable"),
        ("%share --inplace", "must be given the name of a variable"),
        ("%share --no-handover", "must be given the name of a variable"),
    ],
)
def test_a_mistake_is_one_clear_line_and_moves_nothing(
    cells: Cells, line: str, words: str
) -> None:
    cells.run("import numpy as np, pandas as pd\n" + ARRAY + "numbers = [1]")
    cells.run("words = pd.DataFrame({'a': [1], 'b': ['x']})")
    arr = cells["arr"]
    assert words in cells.mistake(line)
    assert cells["arr"] is arr
    assert cells.run("list(shared)") == []


def test_flags_are_the_terms_of_the_name(cells: Cells) -> None:
    cells.run("import numpy as np\n" + ARRAY)
    for line, mode, handover in (
        ("%share arr", "live", True),
        ("%share arr --frozen", "frozen", True),
        ("%share arr --no-handover", "live", False),
        ("%share --inplace arr --readonly --no-handover", "inplace", False),
        ("%share arr --readonly", "read-only", True),
    ):
        cells.run(line)
        (known,) = own_session().names
        assert known.terms.handover is handover
        server = own_session().server
        assert server is not None
        assert [proxy.mode for proxy in server.statistics().proxies] == [mode]
