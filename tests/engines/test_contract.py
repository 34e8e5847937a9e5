"""
The same scenarios on pools of this machine, on the fake engine, on Dask and on Ray.
"""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter import fetch, locked, share, shared, unshare
from duck_jupyter.errors import HandshakeError
from duck_jupyter.pools.install import install, uninstall
from tests.support.clusters import WAIT_S, dask_client
from tests.support.fake_engine import FakeEngine
from tests.support.far import Elsewhere
from tests.support.processes import wait_until
from tests.support.ray_clusters import HAS_RAY, ray_cluster
from tests.support.ray_clusters import submit as submit_to_ray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.session.session import Session

pytestmark = pytest.mark.slow

ROWS = 100_000
PLACES = ["pool", "fake", "dask"]
# Ray takes seconds to start, and a minute on a busy machine.
RAY = pytest.param("ray", marks=[pytest.mark.one_python, pytest.mark.timeout(120)])


class Place:
    """
    Where tasks run.
    """

    def __init__(self, submit: Callable[..., Any], on: Any) -> None:
        self._submit = submit
        self.on = on

    def submit(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._submit(func, *args, **kwargs)

    def run(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.submit(func, *args, **kwargs).result(timeout=WAIT_S)


@pytest.fixture(scope="module", params=[*PLACES, *([RAY] if HAS_RAY else [])])
def place(request: pytest.FixtureRequest, own_folders: None) -> Iterator[Place]:
    """
    Give a pool or an engine.
    """
    if request.param == "pool":
        install()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(int).result(timeout=WAIT_S)
            yield Place(pool.submit, None)
        uninstall()
    elif request.param == "fake":
        engine = FakeEngine()
        yield Place(engine.submit, engine)
        engine.close()
    elif request.param == "ray":
        with ray_cluster(2) as ray:
            yield Place(submit_to_ray, ray)
    else:
        with dask_client(2, 2) as client:
            yield Place(lambda *args, **kw: client.submit(*args, **kw), client)


@pytest.fixture
def frame(place: Place, session: Session) -> pd.DataFrame:
    """
    A shared frame.
    """
    frame = pd.DataFrame({"x": np.ones(ROWS), "y": np.arange(ROWS)})
    share(frame, "frame", on=place.on)
    return frame


def total(frame: pd.DataFrame) -> float:
    return float(frame["x"].sum())


def total_in(many: Any) -> float:
    return sum(total(each["frame"]) for each in many)


def total_named(*, frame: pd.DataFrame) -> float:
    return total(frame)


def total_fetched(live: Any) -> float:
    return total(fetch(live))


def mapped_files(frame: pd.DataFrame) -> set[int]:
    """
    Return the numbers of the files that hold a frame, which is in use.
    """
    start = frame["x"].to_numpy().__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        low, high = (int(end, 16) for end in line.split()[0].split("-"))
        if low <= start < high:
            return {int(line.split()[4])}
    return set()


def write(frame: pd.DataFrame) -> tuple[float, float]:
    frame.loc[0, "x"] = 5.0
    frame.iloc[1, 0] = 5.0
    frame["z"] = 1.0
    return total(frame), float(frame["z"].sum())


def test_a_task_gets_the_object(place: Place, frame: pd.DataFrame) -> None:
    assert place.run(total, frame) == ROWS
    assert place.run(total_named, frame=frame) == ROWS
    assert place.run(total_in, [{"frame": frame}] * 2) == 2 * ROWS


def test_each_task_has_the_state_of_its_moment(
    place: Place, frame: pd.DataFrame
) -> None:
    first = place.submit(total, frame)
    frame["x"] = 2.0
    second = place.submit(total, frame)
    frame.loc[0, "x"] = 3.0
    third = place.submit(total, frame)
    found = [each.result(timeout=WAIT_S) for each in (first, second, third)]
    assert found == [ROWS, 2 * ROWS, 2 * ROWS + 1]


class Changing:
    """
    Another thread submits a frame in a newer state while this is pickled.
    """

    def __init__(self, change: Callable[[], object]) -> None:
        self.change: Callable[[], object] | None = change
        self.numbers = np.arange(ROWS)

    def __getstate__(self) -> dict[str, Any]:
        change, self.change = self.change, None
        if change is not None:
            thread = threading.Thread(target=change)
            thread.start()
            thread.join(WAIT_S)
        return {"change": None, "numbers": self.numbers}


def total_with(frame: pd.DataFrame, other: Changing) -> float:
    return total(frame) + float(other.numbers[0])


def test_a_state_stays_while_another_thread_submits_a_newer_one(
    place: Place, frame: pd.DataFrame, session: Session
) -> None:
    newer = []

    def change() -> None:
        frame["x"] = 2.0
        newer.append(place.run(total, frame))

    changing = Changing(change)
    share(changing, "changing", on=place.on)
    assert place.run(total_with, frame, changing) == ROWS
    assert newer == [2 * ROWS]


def test_the_kernels_own_memory_is_mapped(
    place: Place, frame: pd.DataFrame, session: Session
) -> None:
    (file,) = place.run(mapped_files, frame)
    assert session.server is not None
    publications = session.server.publisher._publications.values()
    kept = {key.inode for each in publications for key in each.takers()}
    assert file in kept


def test_what_a_task_writes_is_its_own(place: Place, frame: pd.DataFrame) -> None:
    assert place.run(write, frame) == (ROWS + 8, ROWS)
    assert place.run(total, frame) == ROWS
    assert total(frame) == ROWS


def test_fetch_gives_the_state_of_its_moment(place: Place, frame: pd.DataFrame) -> None:
    assert place.run(total_fetched, shared.frame) == ROWS
    frame["x"] = 2.0
    assert place.run(total_fetched, shared.frame) == 2 * ROWS


def test_a_waiting_task_has_its_state_after_its_name_is_unshared(
    place: Place, frame: pd.DataFrame
) -> None:
    future = place.submit(total, frame)
    unshare("frame")
    assert future.result(timeout=WAIT_S) == ROWS


def test_a_name_follows_its_object_until_it_is_unshared(
    place: Place, frame: pd.DataFrame
) -> None:
    other = pd.DataFrame({"x": np.full(ROWS, 2.0)})
    share(other, "frame", on=place.on)
    assert place.run(total, other) == 2 * ROWS
    assert place.run(total, frame) == ROWS


def test_old_versions_are_released(
    place: Place, frame: pd.DataFrame, session: Session
) -> None:
    for number in range(4):
        frame["x"] = float(number)
        assert place.run(total, frame) == number * ROWS
    server = session.server
    assert server is not None
    idx = shared.frame._duck_idx
    assert wait_until(lambda: server.publisher.versions(idx).kept <= 2, WAIT_S)


class Node:
    """
    An object that a proxy stands for at each step.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def next(self) -> Node:
        return Node(self.number + 1)


def use(results: Any, node: Any) -> list[Any]:
    results["n"] += 1
    with locked(results):
        results["n"] += 1
    try:
        found: Any = results["missing"]
    except KeyError as error:
        found = type(error)
    return [dict(results.items()), found, node.next().number]


USED = [{"n": 2}, KeyError, 1]


def test_live_calls_reach_the_kernel(place: Place, session: Session) -> None:
    results = {"n": 0}
    share(results, "results", on=place.on)
    share(Node(0), "node", on=place.on)
    assert place.run(use, shared.results, shared.node) == USED
    assert results == {"n": 2}


def test_live_calls_reach_the_kernel_from_another_host(
    place: Place, session: Session
) -> None:
    results = {"n": 0}
    share(results, "results", on=place.on)
    share(Node(0), "node", on=place.on)
    far = Elsewhere(shared.results), Elsewhere(shared.node)
    if place.on is None:
        with pytest.raises(HandshakeError, match="brings no way"):
            place.run(use, *far)
        return
    assert place.run(use, *far) == USED
    assert results == {"n": 2}


def test_an_object_is_fetched_from_another_host(
    place: Place, frame: pd.DataFrame
) -> None:
    far = Elsewhere(shared.frame)
    if place.on is None:
        with pytest.raises(HandshakeError, match="brings no way"):
            place.run(total_fetched, far)
        return
    assert place.run(total_fetched, far) == ROWS
    frame["x"] = 2.0
    assert place.run(total_fetched, far) == 2 * ROWS
