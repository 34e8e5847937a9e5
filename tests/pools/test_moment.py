"""
A task gets shared data as it was when the line that submits it ran.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter import share, unshare
from duck_jupyter.data import store
from duck_jupyter.data.handover import handover
from duck_jupyter.memory.folders import memory_place
from tests.support.moments import ends_of, ends_of_item, ends_when, submit_all
from tests.support.pools import DEADLINE_S, METHODS, POOLS
from tests.support.processes import run_python, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.session.session import Session

pytestmark = pytest.mark.slow

TASKS = 24
EXPECTED = [(n, n) for n in range(TASKS)]
LENGTH = 100_000


@pytest.fixture
def array(session: Session) -> Any:
    array = np.zeros(LENGTH, dtype=int)
    share(array, "array")
    return array


def filled(array: Any, make: Any) -> Iterator[tuple[Any, ...]]:
    """
    Write to an array, and give the arguments of a call, again and again.
    """
    for n in range(TASKS):
        array[:] = n
        yield make(array)


# joblib takes as many calls out of a generator as it has workers before it submits one.
@pytest.mark.parametrize("kind", [x for x in POOLS if not x.startswith("joblib")])
def test_each_task_sees_the_state_of_its_own_moment(array: Any, kind: str) -> None:
    calls = filled(array, lambda array: (array,))
    assert submit_all(kind, ends_of, calls) == EXPECTED


@pytest.mark.parametrize("kind", ["executor spawn", "pool spawn", "loky"])
def test_also_within_containers(array: Any, kind: str) -> None:
    calls = filled(array, lambda array: ({"a": [(1, array)]},))
    assert submit_all(kind, ends_of_item, calls) == EXPECTED


@pytest.mark.parametrize("kind", ["executor fork", "pool spawn", "loky"])
def test_also_a_part_of_an_array(array: Any, kind: str) -> None:
    calls = filled(array, lambda array: (array[10:-10],))
    assert submit_all(kind, ends_of, calls) == EXPECTED


def test_a_frame_whose_column_is_replaced(session: Session) -> None:
    frame = pd.DataFrame({"x": np.zeros(LENGTH, dtype=int)})
    share(frame, "frame")

    def calls() -> Iterator[tuple[Any, ...]]:
        for n in range(TASKS):
            frame["x"] = n
            yield ({"a": [(1, frame)]},)

    found = submit_all("executor spawn", frame_ends, calls())
    assert found == EXPECTED


def frame_ends(item: Any) -> tuple[int, int]:
    return ends_of(item["a"][0][1]["x"].to_numpy())


@pytest.mark.parametrize("method", METHODS)
def test_what_is_put_into_a_queue_is_of_that_moment(array: Any, method: str) -> None:
    queue = multiprocessing.get_context(method).Queue()
    for n in range(TASKS):
        array[:] = n
        queue.put(array)
    found = [ends_of(queue.get(timeout=DEADLINE_S)) for _ in range(TASKS)]
    queue.close()
    queue.join_thread()
    assert found == EXPECTED


def test_at_the_bound_submitting_waits_for_the_workers(
    array: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    With room for a few states, each task still sees its own.
    """
    monkeypatch.setattr(store, "AWAITED_SHARE", 4 * array.nbytes / capacity())
    calls = filled(array, lambda array: (array,))
    assert submit_all("executor spawn", ends_of, calls) == EXPECTED


def test_an_interrupt_ends_the_waiting(
    array: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    It says first what it waits for; the pool goes on afterwards.
    """
    monkeypatch.setattr(store, "AWAITED_SHARE", 4 * array.nbytes / capacity())
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(1, context) as pool:
        event = manager.Event()
        futures = [pool.submit(ends_when, event, [0, 0])]
        said: list[str] = []

        def interrupt() -> None:
            def is_said() -> bool:
                said.append(capsys.readouterr().err)
                return "Submitting waits for the workers" in "".join(said)

            wait_until(is_said, DEADLINE_S)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            submit_states(array, lambda: futures.append(pool.submit(ends_of, array)))
        thread.join()
        assert "'array' changed again" in "".join(said)
        event.set()
        found = [future.result(DEADLINE_S) for future in futures]
    assert 1 < len(found) < TASKS
    assert found[1:] == EXPECTED[: len(found) - 1]


#: In a process that has no child at all.
NOBODY = """
import multiprocessing
import numpy as np
from duck_jupyter import VersionsAwaited, share
from duck_jupyter.data import store
from tests.pools.test_moment import LENGTH, capacity, submit_states

array = np.zeros(LENGTH, dtype=int)
share(array, "array")
store.AWAITED_SHARE = 4 * array.nbytes / capacity()
queue = multiprocessing.get_context("spawn").Queue()
try:
    submit_states(array, lambda: queue.put(array))
except VersionsAwaited as error:
    print(error)
queue.cancel_join_thread()
queue.close()
"""


def test_where_nobody_could_fetch_it_fails_and_does_not_wait() -> None:
    done = run_python(NOBODY)
    assert "changed again while workers" in done.stdout, done.stderr


def test_unchanged_data_is_not_copied_again(array: Any, session: Session) -> None:
    server = session.server
    assert server is not None
    calls = iter([(array,)] * TASKS)
    assert submit_all("executor spawn", ends_of, calls) == [(0, 0)] * TASKS
    assert server.publisher.store.versions().kept == 1


def test_tasks_that_are_cancelled_hold_nothing(array: Any, session: Session) -> None:
    server = session.server
    assert server is not None
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(1, context) as pool:
        event = manager.Event()
        futures: list[Any] = [pool.submit(ends_when, event, [0])]
        submit_states(array, lambda: futures.append(pool.submit(ends_of, array)))
        for future in futures:
            future.cancel()
        event.set()
        wait(futures, DEADLINE_S)
        assert any(future.cancelled() for future in futures)
        assert wait_until(lambda: server.publisher.store.versions().awaited == 0)


def test_tasks_of_a_pool_that_breaks_hold_nothing(array: Any, session: Session) -> None:
    server = session.server
    assert server is not None
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        futures: list[Any] = [
            pool.submit(os.kill, pool.submit(os.getpid).result(), signal.SIGKILL)
        ]
        with contextlib.suppress(BrokenExecutor):
            submit_states(array, lambda: futures.append(pool.submit(ends_of, array)))
        wait(futures, DEADLINE_S)
        assert wait_until(lambda: server.publisher.store.versions().awaited == 0)


def test_when_nothing_is_shared_any_more_pools_are_as_they_were(array: Any) -> None:
    changed = ProcessPoolExecutor.submit
    unshare("array")
    assert not handover.has_objects
    assert ProcessPoolExecutor.submit is not changed


def submit_states(array: Any, submit: Callable[[], object]) -> None:
    """
    Write to an array and submit a task, again and again.
    """
    for n in range(TASKS):
        array[:] = n
        submit()


def capacity() -> int:
    return memory_place().capacity
