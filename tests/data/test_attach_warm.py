"""
A worker that is given the same data again finds it warm, and as it was published.
"""

from __future__ import annotations

import multiprocessing
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from duck_jupyter.data.attach import encoded, rebuild
from duck_jupyter.data.store import Store
from duck_jupyter.memory.mapping_cache import IDLE_S, LEAST_BYTES
from tests.data.test_races import Rivals, change, state_of
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.data.publication import Publication
    from tests.support.workers import Worker

LENGTH = LEAST_BYTES // 8 + 1000
#: What the worker keeps of one test.
_kept: list[Any] = []


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


def data_of(publication: Publication, value: Any) -> bytes:
    return encoded(publication.handle(value))


def spoil(data: bytes) -> tuple[int, bool]:
    """
    Say where the data lies and whether it is zeros, and overwrite all of it.
    """
    array = rebuild(data)
    address, clean = array.ctypes.data, not array.any()
    array[:] = 7
    return address, clean


def private_bytes() -> int:
    text = Path("/proc/self/smaps_rollup").read_text()
    line = next(x for x in text.splitlines() if x.startswith("Private_Dirty"))
    return int(line.split()[1]) << 10


def spoil_and_weigh(data: bytes) -> int:
    before = private_bytes()
    spoil(data)
    return private_bytes() - before


def held(name: str) -> bool:
    return name in Path("/proc/self/maps").read_text()


@pytest.mark.slow
def test_no_task_sees_what_another_one_wrote(store: Store, worker: Worker) -> None:
    publication = store.publication("a")
    value = np.zeros(LENGTH)
    handle: Any = publication.handle(value)
    told = [worker.run(spoil, data_of(publication, value)) for _ in range(5)]
    assert [clean for _, clean in told] == [True] * 5
    assert len({address for address, _ in told}) == 1
    assert not value.any()
    inode = f" {handle.file.inode} "
    assert wait_until(lambda: not worker.run(held, inode), 3 * IDLE_S)


def test_written_pages_are_given_back_with_the_data(
    store: Store, worker: Worker
) -> None:
    publication = store.publication("a")
    value = np.zeros(8 * LENGTH)
    worker.run(spoil_and_weigh, data_of(publication, value))
    assert worker.run(spoil_and_weigh, data_of(publication, value)) < LEAST_BYTES


def test_memory_is_written_in_place_while_a_worker_keeps_its_mapping(
    store: Store, worker: Worker
) -> None:
    publication = store.publication("a")
    value = np.zeros(LENGTH)
    files = set()
    for number in range(10):
        value[:] = number
        handle: Any = publication.handle(value)
        files.add(handle.file)
        assert worker.run(first_and_last, encoded(handle)) == (number, number)
    assert len(files) == 1


def first_and_last(data: bytes) -> tuple[int, int]:
    array = rebuild(data)
    found = int(array[0]), int(array[-1])
    array[:] = -1
    return found


def the_array(array: Any) -> Any:
    return array


def a_slice(array: Any) -> Any:
    return array[10:20]


def a_reshaped_view(array: Any) -> Any:
    return array[:1000].reshape(10, 100).T[3:]


def a_memoryview(array: Any) -> Any:
    return memoryview(array)[5:]


def from_another_buffer(array: Any) -> Any:
    return np.frombuffer(array, "u1")


def an_ndarray_on_a_view(array: Any) -> Any:
    return np.ndarray(10, "f8", memoryview(array)[50:])


def a_column(array: Any) -> Any:
    return pd.DataFrame({"a": array}, copy=False)["a"]


def an_arrow_buffer(array: Any) -> Any:
    return pa.py_buffer(array)[100:200]


def an_arrow_array(array: Any) -> Any:
    return pa.array(array)[30:]


@pytest.mark.parametrize(
    "view",
    [
        the_array,
        a_slice,
        a_reshaped_view,
        a_memoryview,
        from_another_buffer,
        an_ndarray_on_a_view,
        a_column,
        an_arrow_buffer,
        an_arrow_array,
    ],
)
def test_what_is_kept_is_never_touched(
    view: Callable[[Any], Any], store: Store
) -> None:
    publication = store.publication("a")
    value = np.arange(float(LENGTH))
    array = rebuild(data_of(publication, value))
    array[15] = -5
    kept = view(array)
    del array
    before = np.array(kept).tobytes()
    for number in range(3):
        value[:] = number
        other = rebuild(data_of(publication, value))
        assert other[15] == number
        other[:] = 99
        del other
    assert np.array(kept).tobytes() == before


def keep_both(frame: bytes, table: bytes) -> None:
    got = rebuild(frame)
    got.loc[3, "a"] = -3.0
    _kept[:] = [got["a"], rebuild(table).column("a").chunk(0)]


def sums_of_kept() -> list[float]:
    return [float(_kept[0].sum()), float(np.asarray(_kept[1]).sum())]


def test_columns_of_frames_and_tables_stay_as_they_are(
    store: Store, worker: Worker
) -> None:
    numbers = np.arange(float(LENGTH))
    frames, tables = store.publication("frame"), store.publication("table")
    frame = pd.DataFrame({"a": numbers.copy(), "b": numbers.copy()})
    table = pa.table({"a": numbers, "b": numbers})
    worker.run(keep_both, data_of(frames, frame), data_of(tables, table))
    wanted = [numbers.sum() - 6, numbers.sum()]
    for number in range(3):
        frame["a"] = frame["b"] * number
        assert worker.run(total, data_of(frames, frame)) == frame.to_numpy().sum()
        assert worker.run(sums_of_kept) == wanted
    worker.run(forget)


def forget() -> None:
    _kept.clear()


def total(data: bytes) -> float:
    found = rebuild(data)
    result = float(found.to_numpy().sum())
    found.iloc[:, :] = 0.0
    return result


@pytest.mark.slow
def test_an_idle_mapping_goes_when_its_data_is_unshared(
    store: Store, worker: Worker
) -> None:
    publication = store.publication("a")
    handle: Any = publication.handle(np.zeros(LENGTH))
    worker.run(spoil, encoded(handle))
    store.retire(publication)
    inode = f" {handle.file.inode} "
    assert wait_until(lambda: not worker.run(held, inode), 3 * IDLE_S)


def test_a_forked_worker_goes_on_with_its_own(store: Store) -> None:
    publication = store.publication("a")
    value = np.zeros(LENGTH)
    kept = rebuild(data_of(publication, value))
    kept[0] = 1
    context: Any = multiprocessing.get_context("fork")
    data = data_of(publication, value)
    with context.Pool(1) as pool:
        assert pool.apply(spoil, (data,))[1]
        kept[1] = 2
        assert pool.apply(spoil, (data_of(publication, value),))[1]
    assert kept[:3].tolist() == [1, 2, 0]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_that_race_for_warm_data_see_one_state_each(
    method: str, store: Store
) -> None:
    chance = random.Random(method)
    publication = store.publication("a")
    value = state_of(0)
    value["30000"] = np.full(LENGTH, 0)
    rivals = Rivals(method, 3)
    try:
        for number in range(1, 80):
            change(value, number)
            for end in chance.choices(rivals.ends, k=chance.randrange(1, 3)):
                end.send((number, data_of(publication, value)))
        told = rivals.finish()
    finally:
        rivals.close()
    assert all(isinstance(one, tuple) for one in told), told
