"""
A shared variable that is passed to a pool itself, without a word about sharing.
"""

from __future__ import annotations

import multiprocessing
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter import NotShared, share, shared, unshare
from duck_jupyter.errors import DataEncodeError
from duck_jupyter.session.names import Source, Terms
from duck_jupyter.session.shared_names import Wish
from tests.support.handed import (
    Box,
    fetch_back,
    give_back,
    give_class,
    lies_in_a_file,
    look_at_array,
    look_at_start,
    look_within,
    start_with,
)
from tests.support.picklers import look_at
from tests.support.pools import BY_VALUE, DEADLINE_S, STARTED, open_pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.session.session import Session

    Run = Callable[[Callable[..., Any], list[Any]], list[Any]]

pytestmark = pytest.mark.slow

SIZE = 100_000
#: The most a handle may take.
HANDLE_BYTES = 2048


@pytest.fixture
def array(session: Session) -> np.ndarray[Any, Any]:
    """
    A shared array, whose sum is its size.
    """
    array = np.ones(SIZE)
    share(array, name="array")
    return array


@pytest.fixture
def frame(session: Session) -> pd.DataFrame:
    """
    A shared frame.
    """
    frame = pd.DataFrame({"n": np.arange(SIZE), "s": ["a", "b"] * (SIZE // 2)})
    share(frame, name="frame")
    return frame


def pickled_size(obj: Any) -> int:
    return len(ForkingPickler.dumps(obj))


def test_workers_get_the_array_itself_on_shared_memory(run: Run, array: Any) -> None:
    """
    What each writes to it is its own.
    """
    assert run(look_at_array, [array] * 4) == [("ndarray", SIZE, True)] * 4
    assert run(look_within, [{"list": [array]}]) == [("ndarray", SIZE, True)]
    assert array.sum() == SIZE


def test_each_task_sees_its_own_state(run: Run, array: Any) -> None:
    sums = []
    for number in range(4):
        array[-1] = number
        sums += [found[1] for found in run(look_at_array, [array])]
    assert sums == [SIZE - 1 + number for number in range(4)]


def test_a_frame_arrives_as_it_is_and_comes_back_as_a_result(
    run: Run, frame: pd.DataFrame
) -> None:
    found, within = run(give_back, [frame, {"a": (frame,)}])
    pd.testing.assert_frame_equal(found, frame)
    pd.testing.assert_frame_equal(within["a"][0], frame)
    found.loc[0, "n"] = 5
    assert frame.loc[0, "n"] == 0


def test_what_was_fetched_is_a_result_like_any_other(run: Run, array: Any) -> None:
    """
    A worker's own writes go with it; its mapping does not.
    """
    array[0] = 7
    found, within = run(fetch_back, [shared.array])[0]
    np.testing.assert_array_equal(found, array)
    assert within["list"][0] is found
    assert not lies_in_a_file(found)
    (back,) = run(give_back, [array])
    np.testing.assert_array_equal(back, array)
    assert not lies_in_a_file(back)


def test_an_unshared_array_travels_as_ever(run: Run, array: Any) -> None:
    (found,) = run(look_at_array, [np.ones(10)])
    assert found == ("ndarray", 10, False)


@pytest.mark.parametrize("kind", BY_VALUE)
def test_a_function_by_value_names_the_variable(
    kind: str, array: Any, frame: pd.DataFrame
) -> None:
    space: dict[str, Any] = {
        "array": array,
        "frame": frame,
        "mapped": lies_in_a_file,
        "__name__": "__main__",
    }
    exec("def look(i): return mapped(array), array[i], len(frame)", space)
    with open_pool(kind) as run:
        assert run(space["look"], [1, 2]) == [(True, 1.0, SIZE)] * 2
        assert run(lambda i: lies_in_a_file(array), [1]) == [True]


@pytest.mark.parametrize("kind", STARTED)
def test_workers_are_started_with_the_variable(kind: str, array: Any) -> None:
    with open_pool(kind, start_with, array) as run:
        (found,) = run(look_at_start, [1])
    assert found == ("ndarray", SIZE, True)


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_processes_queues_and_pipes_take_it(method: str, array: Any) -> None:
    context: Any = multiprocessing.get_context(method)
    queue, (near, far) = context.Queue(), context.Pipe()
    worker = context.Process(target=_look_at_all, args=(queue, far, array))
    worker.start()
    far.close()
    near.send([array])
    queue.put(array)
    assert near.recv() == [("ndarray", SIZE, True)] * 3
    worker.join(DEADLINE_S)
    assert worker.exitcode == 0
    near.close()
    queue.close()
    queue.join_thread()


def _look_at_all(queue: Any, pipe: Any, array: Any) -> None:
    arrays = [array, *pipe.recv(), queue.get(timeout=DEADLINE_S)]
    pipe.send([look_at_array(found) for found in arrays])


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_manager_keeps_it(method: str, array: Any) -> None:
    with multiprocessing.get_context(method).Manager() as manager:
        kept = manager.dict(first=array)
        kept["later"] = [array]
        array[:] = 2
        for found in (kept["first"], kept["later"][0]):
            np.testing.assert_array_equal(found, np.ones(SIZE))


def test_what_is_sent_to_this_process_itself_arrives(array: Any) -> None:
    queue: Any = multiprocessing.SimpleQueue()
    queue.put(array)
    found = queue.get()
    queue.close()
    np.testing.assert_array_equal(found, array)
    found[:] = 0
    assert array.sum() == SIZE


def test_a_handle_is_small_and_only_for_pools(array: Any, frame: Any) -> None:
    for obj in (array, frame):
        assert pickled_size(obj) < HANDLE_BYTES
        assert len(pickle.dumps(obj)) > obj.size


@pytest.mark.parametrize("kind", ["pool fork", "executor spawn"])
def test_without_handover_it_is_pickled_as_ever(session: Session, kind: str) -> None:
    before = look_at()
    array = np.ones(SIZE)
    share(array, name="array", handover=False)
    assert look_at() == before
    with open_pool(kind) as run:
        assert run(look_at_array, [array]) == [("ndarray", SIZE, False)]


def test_a_frozen_object_goes_as_it_was_when_it_was_first_passed(
    session: Session,
) -> None:
    array = np.ones(SIZE)
    share(array, name="array", frozen=True)
    with open_pool("executor spawn") as run:
        assert run(look_at_array, [array])[0][1] == SIZE
        array[:] = 2
        assert run(look_at_array, [array])[0][1] == SIZE


@pytest.mark.parametrize("kind", ["pool fork", "executor spawn", "loky", "joblib loky"])
def test_what_cannot_be_pickled_is_named_by_its_path(
    session: Session, kind: str
) -> None:
    box = Box([np.ones(SIZE), threading.Lock()])
    share(box, name="box")
    with open_pool(kind) as run:
        with pytest.raises((DataEncodeError, pickle.PicklingError)) as caught:
            run(give_class, [box])
        assert "box.content[1]" in str(caught.value) + str(caught.value.__cause__)
        box.content.pop()
        assert run(give_class, [box]) == ["Box"]


def test_tasks_that_wait_while_all_is_unshared_and_rebound_arrive(
    session: Session,
) -> None:
    """
    They are pickled in another thread, at any moment of it.
    """
    arrays = [np.full(SIZE, number, dtype=float) for number in range(10)]
    space: dict[str, Any] = {"x": arrays[0]}
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        found = []
        for number, array in enumerate(arrays):
            space["x"] = array
            session.share([Wish("x", array, Source(space, "x"))], Terms())
            found += [pool.submit(look_at_array, array) for _ in range(3)]
            if number % 3 == 0:
                unshare("x")
        sums = [future.result(DEADLINE_S)[1] for future in found]
    assert sums == [number * SIZE for number in range(10) for _ in range(3)]


class Asking:
    """
    An object whose pickling asks for a shared name, at a moment of the test's choice.
    """

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    def __reduce__(self) -> Any:
        self.asked.set()
        self.go.wait(DEADLINE_S)
        return list, (shared.array,)


@pytest.mark.parametrize("change", ["unshare", "rebind"])
def test_an_object_that_asks_for_names_may_be_unshared_while_it_is_pickled(
    session: Session, change: str
) -> None:
    share([1], name="array")
    asking = Asking()
    share(asking, name="asking")

    def change_it() -> None:
        if change == "rebind":
            share([2], name="asking")
        else:
            unshare("asking")

    with ThreadPoolExecutor(2) as pool:
        size = pool.submit(pickled_size, asking)
        assert asking.asked.wait(DEADLINE_S)
        changed = pool.submit(change_it)
        wait([changed], 0.2)
        asking.go.set()
        changed.result(DEADLINE_S)
        assert size.result(DEADLINE_S) > 0


def test_two_names_of_one_object_hand_it_over_while_one_is_left(
    session: Session,
) -> None:
    array = np.ones(SIZE)
    share(array, name="first")
    share(array, name="second")
    unshare("second")
    assert pickled_size(array) < HANDLE_BYTES
    unshare("first")
    assert pickled_size(array) > SIZE


def test_a_variable_that_was_rebound_is_handed_over(session: Session) -> None:
    first, second = np.ones(SIZE), pd.DataFrame({"a": np.zeros(SIZE)})
    space: dict[str, Any] = {"x": first}
    session.share([Wish("x", first, Source(space, "x"))], Terms())
    assert pickled_size(first) < HANDLE_BYTES
    space["x"] = second
    assert pickled_size(second) < HANDLE_BYTES
    assert pickled_size(first) > SIZE
    del space["x"]
    assert pickled_size(second) > SIZE
    with pytest.raises(NotShared):
        _ = shared.x


@pytest.mark.parametrize("end", ["unshare", "stop", "close"])
def test_afterwards_nothing_is_handed_over(session: Session, end: str) -> None:
    before = look_at()
    array = np.ones(SIZE)
    share(array, name="array")
    assert look_at() != before
    if end == "unshare":
        unshare("array")
    elif end == "stop":
        session.stop()
    else:
        assert session.server is not None
        session.server.close()
    assert pickled_size(array) > SIZE
    assert look_at() == before


@pytest.mark.parametrize("kind", ["pool fork", "executor spawn", "joblib loky"])
def test_a_shared_list_or_number_goes_as_ever(session: Session, kind: str) -> None:
    for name, value in {"a": [1, 2], "b": {"c": 1}, "d": 5, "e": "text"}.items():
        share(value, name=name)
    with open_pool(kind) as run:
        items = [shared.a._duck_idx, [1, 2], {"c": 1}, 5, "text"]
        assert run(give_back, items) == items


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_what_only_a_starting_process_may_have_still_reaches_it(
    session: Session, method: str
) -> None:
    """
    Locks and queues are passed to processes; to share them too changes nothing.
    """
    context: Any = multiprocessing.get_context(method)
    lock, queue, event = context.Lock(), context.Queue(), context.Event()
    for name, value in {"lock": lock, "queue": queue, "event": event}.items():
        share(value, name=name)
    worker = context.Process(target=_use, args=(lock, queue, event))
    worker.start()
    assert event.wait(DEADLINE_S)
    assert queue.get(timeout=DEADLINE_S) == "here"
    worker.join(DEADLINE_S)
    assert worker.exitcode == 0
    queue.close()
    queue.join_thread()


def _use(lock: Any, queue: Any, event: Any) -> None:
    with lock:
        queue.put("here")
    event.set()


@pytest.mark.parametrize("kind", BY_VALUE)
def test_an_instance_of_a_class_of_the_notebook_arrives(
    session: Session, kind: str
) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("class Model:\n    def __call__(self, x): return x + self.w.sum()", space)
    model = space["Model"]()
    model.w = np.ones(SIZE)
    share(model, name="model")
    with open_pool(kind) as run:
        assert run(model, [1, 2]) == [SIZE + 1, SIZE + 2]
        assert run(give_class, [model]) == ["Model"]
