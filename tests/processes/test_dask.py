"""
Proxies as arguments of Dask's tasks, on a cluster whose scheduler is a process too.
"""

from __future__ import annotations

import copyreg
import functools
import os
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from dask.base import tokenize

from duck_jupyter import fetch, ref, share, shared
from duck_jupyter.memory.mapping_cache import LEAST_BYTES
from duck_jupyter.protocol.exceptions import reduce_by_value
from duck_jupyter.protocol.values import dumps, loads
from tests.support.clusters import WAIT_S, dask_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Client

    from duck_jupyter.session.session import Session

pytestmark = pytest.mark.slow

RUNS = 3
THREADS = 4


class Holder:
    """
    An object of the user that holds another one.
    """

    def __init__(self, held: Any) -> None:
        self.held = held


class Pair(NamedTuple):
    """
    Two objects.
    """

    held: Any
    number: int


@pytest.fixture(scope="module")
def client(own_folders: None) -> Iterator[Client]:
    """
    Give a client of a scheduler and a worker with four threads, in own processes.
    """
    with dask_client(1, THREADS) as client:
        yield client


def add(live: Any) -> None:
    live.append(1)


def add_to_first(many: Any) -> None:
    many[0].append(1)


def add_to_named(**many: Any) -> None:
    many["live"].append(1)


def add_to_held(holder: Any) -> None:
    holder.held.append(1)


def name_of(live: Any) -> str:
    return type(live).__name__


def total(live: Any) -> float:
    return float(live.sum().sum())


def submit_method(client: Client, live: Any) -> Any:
    return client.submit(live.append, 1)


SUBMITS: dict[str, Callable[[Client, Any], Any]] = {
    "itself": lambda client, live: client.submit(add, live),
    "by name": lambda client, live: client.submit(add_to_named, live=live),
    "in a list": lambda client, live: client.submit(add_to_first, [live]),
    "in an object": lambda client, live: client.submit(add_to_held, Holder(live)),
    "in a tuple": lambda client, live: client.submit(add_to_held, Pair(live, 1)),
    "in a function": lambda client, live: client.submit(functools.partial(add, live)),
    "its method": submit_method,
    "a view": lambda client, live: client.submit(add, ref(live)),
    "an executor": lambda client, live: client.get_executor().submit(add, live),
}


@pytest.mark.parametrize("way", SUBMITS)
def test_each_submit_of_a_live_object_runs(
    client: Client, session: Session, way: str
) -> None:
    numbers: list[int] = []
    share(numbers, "numbers")
    futures = [SUBMITS[way](client, shared.numbers) for _ in range(RUNS)]
    for future in futures:
        future.result(timeout=WAIT_S)
    assert numbers == [1] * RUNS


def test_each_task_of_a_map_over_a_live_object_runs(
    client: Client, session: Session
) -> None:
    numbers: list[int] = []
    share(numbers, "numbers")
    client.gather(client.map(add, [shared.numbers] * RUNS))
    client.gather(client.map(add, [shared.numbers] * RUNS))
    assert len(numbers) == 2 * RUNS


def test_whatever_is_live_has_another_token_each_time(session: Session) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    share(frame, "frame")
    live = shared.frame
    assert tokenize(shared) != tokenize(shared)
    for each in (live, live.query, ref(live), ref(live).query, ref(live).T):
        assert tokenize(each) != tokenize(each)
        assert tokenize([each]) != tokenize([each])
        assert tokenize(Holder(each)) != tokenize(Holder(each))
    # Nothing else has changed.
    assert pickle.dumps(live) == pickle.dumps(live)
    assert tokenize(Holder(1)) == tokenize(Holder(1))


class Unfit(Exception):
    """
    An exception with an argument that stays where it is.
    """


@pytest.mark.parametrize(
    "error", [KeyError("a key", 7), StopIteration("the end"), Unfit(threading.Lock())]
)
def test_exceptions_are_sent_as_without_dask(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Dask registers a way of its own to pickle each exception.
    """
    way = copyreg.dispatch_table[KeyError]
    monkeypatch.setitem(copyreg.dispatch_table, type(error), way)
    try:
        raise error
    except Exception as raised:
        data = dumps(raised, reduce_by_value)
    found = loads(memoryview(data))
    assert type(found) is type(error)
    assert found.__traceback__ is None
    if isinstance(error, Unfit):
        assert "lock" in found.args[0]
    else:
        assert found.args == error.args
    assert getattr(found, "value", None) == getattr(error, "value", None)


def callers(session: Session) -> set[int]:
    assert session.server is not None
    return {each.hello.pid for each in session.server.connections()}


def test_the_scheduler_contacts_no_kernel(client: Client, session: Session) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    share(frame, "frame")
    chained = ref(shared.frame).T
    for each in (shared.frame, chained, [chained], chained.sum):
        client.submit(name_of, each).result(timeout=WAIT_S)
    assert not callers(session)

    assert client.submit(total, chained).result(timeout=WAIT_S) == 3
    (worker,) = client.run(os.getpid).values()
    assert callers(session) == {worker}


def fetch_and_measure(live: Any, number: int) -> tuple[float, int]:
    """
    Fetch a frame and read it; when all have, give its sum and the shared bytes here.
    """
    from distributed import Event

    frame = fetch(live)
    found = float(frame["x"].sum())
    Event(f"read-{number}").set()
    for other in range(THREADS):
        assert Event(f"read-{other}").wait(WAIT_S)
    lines = Path("/proc/self/status").read_text().splitlines()
    resident = next(line for line in lines if line.startswith("RssShmem"))
    return found, int(resident.split()[1]) << 10


def test_threads_that_fetch_are_not_resident_each(
    client: Client, session: Session
) -> None:
    size = 4 * LEAST_BYTES
    frame = pd.DataFrame({"x": np.ones(size // 8)})
    share(frame, "frame")
    futures = client.map(fetch_and_measure, [shared.frame] * THREADS, range(THREADS))
    found = client.gather(futures)
    assert [each for each, _ in found] == [size / 8] * THREADS
    # pandas 2 writes in place, so each thread needs memory of its own.
    mappings = 2 if int(pd.__version__.partition(".")[0]) >= 3 else THREADS
    assert max(resident for _, resident in found) < (mappings + 0.5) * size
