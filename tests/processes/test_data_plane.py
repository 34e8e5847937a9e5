"""
The data plane between processes of every kind: fork, forkserver and spawn.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import psutil
import pytest

from duck_jupyter.client.fetching import fetch
from duck_jupyter.errors import KernelGone
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.session.api import own_session, share
from tests.processes.conftest import Crew
from tests.support.processes import run_python, start_python, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

SIZE = 200_000
METHODS = multiprocessing.get_all_start_methods()


@pytest.fixture(params=METHODS)
def any_crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    """
    Workers of each start method.
    """
    crew = Crew(request.param)
    yield crew
    crew.end()


def look_and_write(proxy: Any, both: Any, answers: Any) -> None:
    mine = fetch(proxy)
    first = mine["a"].iloc[0]
    both.wait(20)
    mine.iloc[0, 0] = os.getpid()
    both.wait(20)
    again = fetch(proxy)["a"].iloc[0]
    pd.testing.assert_frame_equal(mine.iloc[1:], fetch(proxy).iloc[1:])
    answers.put((first, mine["a"].iloc[0] == os.getpid(), again))


def test_workers_write_at_the_same_time_and_do_not_meet(
    server: ProxyServer, any_crew: Crew
) -> None:
    frame = pd.DataFrame({"a": np.zeros(SIZE), "b": ["x", "y"] * (SIZE // 2)})
    proxy = server.create_proxy(frame)
    context = any_crew.context
    both, answers = context.Barrier(2), context.SimpleQueue()
    for _ in range(2):
        any_crew.start(look_and_write, proxy, both, answers)
    any_crew.join()
    assert [answers.get() for _ in range(2)] == [(0, True, 0)] * 2
    assert frame["a"].sum() == 0
    answers.close()


def check_states(proxy: Any, turns: Any, answers: Any) -> None:
    """
    Keep what was fetched at each turn, and see that none of it changes.
    """
    kept = []
    while (turn := turns.get()) is not None:
        kept.append((turn, fetch(proxy)))
        answers.put(all((array == number).all() for number, array in kept))
        if len(kept) > 3:
            kept.pop(0)
    answers.put(True)


def test_what_was_fetched_stays_while_the_notebook_goes_on(
    server: ProxyServer, crew: Crew
) -> None:
    array = np.zeros(SIZE)
    proxy = server.create_proxy(array)
    turns, answers = crew.context.SimpleQueue(), crew.context.SimpleQueue()
    crew.start(check_states, proxy, turns, answers)
    for turn in range(12):
        array[:] = turn
        turns.put(turn)
        assert answers.get() is True
    # Only what the worker has is kept, and what is used for the next state.
    assert server.publisher.store.versions().kept <= 6
    turns.put(None)
    crew.join()
    assert answers.get() is True
    assert wait_until(lambda: server.publisher.store.versions().mapped == 0)
    turns.close()
    answers.close()


def fork_with_data(proxy: Any, answers: Any) -> None:
    """
    Fork while an array is mapped: the child has it too, and it is the child's own.
    """
    array = fetch(proxy)
    array[0] = 1
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            assert array[0] == 1
            array[0] = 2
            assert array.sum() == 2
            assert fetch(proxy).sum() == 0
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    answers.put((os.waitstatus_to_exitcode(status), float(array.sum())))


def test_a_child_of_a_worker_has_a_copy_of_its_own(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(np.zeros(SIZE))
    answers = crew.context.SimpleQueue()
    crew.start(fork_with_data, proxy, answers)
    crew.join()
    assert answers.get() == (0, 1.0)
    answers.close()


def fetch_for_ever(proxy: Any, ready: Any) -> None:
    while True:
        array = fetch(proxy)
        assert (array == array[0]).all()
        ready.set()


def test_killed_workers_keep_no_memory(server: ProxyServer, crew: Crew) -> None:
    array = np.zeros(SIZE)
    proxy = server.create_proxy(array)
    ready = crew.context.Event()
    workers = [crew.start(fetch_for_ever, proxy, ready) for _ in range(2)]
    assert ready.wait(20)
    for worker in workers:
        array += 1
        fetch(proxy)
        worker.kill()
        worker.join(20)
    assert wait_until(lambda: server.publisher.store.versions().mapped == 0)
    array += 1
    assert fetch(proxy)[0] == 3
    found = server.publisher.store.versions()
    # A handle that was on its way to a worker that was killed may yet come.
    assert found.kept - found.awaited <= 2
    assert found.awaited <= 2


def read_while_it_is_written(proxy: Any, both: Any, stop: Any, answers: Any) -> None:
    """
    Fetch again and again; what was fetched does not change any more.
    """
    both.wait(20)
    looks = 0
    while not stop.is_set():
        array = fetch(proxy)
        before = array.copy()
        assert array.shape == (SIZE,)
        assert (array == before).all()
        looks += 1
    answers.put(looks > 0)


def test_workers_fetch_while_the_notebook_writes(
    server: ProxyServer, crew: Crew
) -> None:
    """
    What it is in the middle of a write nobody can say; that it is whole is certain.
    """
    array = np.zeros(SIZE)
    proxy = server.create_proxy(array)
    context = crew.context
    both, stop = context.Barrier(3), context.Event()
    answers = context.SimpleQueue()
    for _ in range(2):
        crew.start(read_while_it_is_written, proxy, both, stop, answers)
    both.wait(20)
    for turn in range(200):
        array[:] = turn
    stop.set()
    crew.join()
    assert [answers.get() for _ in range(2)] == [True, True]
    answers.close()


def add_in_place(proxy: Any, at: int, count: int) -> None:
    array = fetch(proxy)
    for _ in range(count):
        array[at] += 1


def test_workers_write_in_place_side_by_side(any_crew: Crew) -> None:
    try:
        proxy: Any = share(np.zeros(SIZE), name="arr", inplace=True)
        mine = fetch(proxy)
        for at in range(2):
            any_crew.start(add_in_place, proxy, at, 500)
        add_in_place(proxy, 2, 500)
        any_crew.join()
        assert mine[:4].tolist() == [500, 500, 500, 0]
    finally:
        own_session().stop()


# -- the end of the kernel -----------------------------------------------------------

KERNEL = """
import os, pickle, sys
from multiprocessing.reduction import ForkingPickler
import numpy as np, pandas as pd
from duck_jupyter import share, shared
df = pd.DataFrame({"a": np.ones(1_000_000), "b": ["x"] * 1_000_000})
share(df, name="df")
share(np.ones(1000), name="arr", inplace=True)
print(ForkingPickler.dumps([shared.df, shared.arr, df]).hex(), flush=True)
sys.stdin.readline()
"""

WORKER = """
import pickle, sys
import numpy as np
from duck_jupyter.errors import KernelGone
from duck_jupyter.client.fetching import fetch
proxy, moved, handed = pickle.loads(bytes.fromhex(sys.stdin.readline()))
frame, array = fetch(proxy), fetch(moved)
sums = set()
print("computing", flush=True)
while True:
    sums |= {float(frame["a"].sum()), float((frame["b"] == "x").sum())}
    sums.add(float(handed["a"].sum()))
    array += 1
    array -= 1
    try:
        proxy.shape
    except KernelGone:
        break
for _ in range(20):
    frame["a"] += 1
    frame["a"] -= 1
    sums |= {float(frame["a"].sum()), float(array.sum()) * 1000}
try:
    fetch(proxy)
except KernelGone:
    print("gone", sorted(sums), flush=True)
"""


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_a_worker_computes_on_when_the_kernel_ends(how: str) -> None:
    with start_python(KERNEL) as kernel, start_python(WORKER) as worker:
        assert kernel.stdout is not None
        assert kernel.stdin is not None
        assert worker.stdout is not None
        handles = kernel.stdout.readline()
        assert worker.stdin is not None
        worker.stdin.write(handles)
        worker.stdin.flush()
        assert worker.stdout.readline() == "computing\n"
        if how == "ended":
            kernel.stdin.write("\n")
            kernel.stdin.flush()
        else:
            kernel.kill()
        kernel.wait(20)
        said, errors = worker.communicate(timeout=20)
        assert (said, errors) == ("gone [1000000.0]\n", "")
        _, errors = kernel.communicate(timeout=20)
        assert errors == ""
    # What a killed kernel left, the next server removes.
    with ProxyServer():
        pass
    with pytest.raises(KernelGone):
        pickle.loads(bytes.fromhex(handles))[2]


SCRIPT = """
import multiprocessing, sys
import numpy as np
from concurrent.futures import ProcessPoolExecutor
from duck_jupyter import share, shared
from tests.support.jobs import fetch_total, total, write_first
if __name__ == "__main__":
    arr = np.ones(200_000)
    share(arr, name="arr")
    moved = share(np.zeros(200_000), name="moved", inplace=True)
    context = multiprocessing.get_context(sys.argv[1])
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        sums = list(pool.map(total, [arr] * 4))
        sums += list(pool.map(fetch_total, [shared.arr, moved]))
        sums += [before for before, _ in pool.map(write_first, [arr] * 3, [5] * 3)]
    print(sums)
"""


@pytest.mark.parametrize("method", METHODS)
def test_a_script_ends_without_a_word_and_leaves_nothing(method: str) -> None:
    """
    The resource tracker in particular has nothing to say.
    """
    code = SCRIPT.replace("sys.argv[1]", repr(method))
    done = run_python(f"import sys; sys.argv[0] = ''\n{code}")
    assert done.stderr == ""
    sums = [2e5] * 4 + [2e5, 0.0] + [1.0] * 3
    assert (done.stdout, done.returncode) == (f"{sums}\n", 0)


def test_a_thousand_states_leave_no_descriptor(server: ProxyServer) -> None:
    """
    In one process, which is kernel and worker: states come and go, and names too.
    """
    me = psutil.Process()
    array = np.zeros(5_000)
    proxy = server.create_proxy(array)
    fetch(proxy)
    before = me.num_fds()
    for step in range(1_000):
        array[step] = 1
        assert fetch(proxy).sum() == step + 1
    for step in range(300):
        other = server.create_proxy(np.full(2_000, step), name=f"other {step}")
        assert fetch(other)[0] == step
        server.remove_proxy(other)
    assert me.num_fds() <= before + 2


def test_threads_of_the_kernel_publish_at_the_same_time(server: ProxyServer) -> None:
    arrays = [np.full(5_000, number) for number in range(4)]
    proxies = [server.create_proxy(array) for array in arrays]
    wrong: list[Any] = []

    def work(number: int) -> None:
        for step in range(50):
            at = (number + step) % 4
            found = fetch(proxies[at])
            if not (found == at).all():
                wrong.append((at, found[0]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
