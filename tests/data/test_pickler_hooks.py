"""
Handing over to the workers of real pools.
"""

from __future__ import annotations

import multiprocessing
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.data.handover import handover
from duck_jupyter.errors import DataEncodeError
from tests.support.handed import (
    Box,
    Handed,
    give,
    give_back,
    give_start,
    refuse,
    start_with,
)
from tests.support.picklers import load_all, look_at
from tests.support.pools import BY_VALUE, DEADLINE_S, POOLS, STARTED, open_pool
from tests.support.processes import run_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[[Callable[..., Any], list[Any]], list[Any]]

pytestmark = pytest.mark.slow

HANDED = Handed("box")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """
    End each test with nothing handed over, and all picklers as they were.
    """
    load_all()
    before = look_at()
    yield
    handover.clear()
    assert look_at() == before


@pytest.fixture
def box() -> Box:
    """
    Something that is handed over.
    """
    box = Box(1)
    handover.add(box, give("box"))
    return box


@pytest.fixture(scope="module", params=POOLS)
def run(request: pytest.FixtureRequest, own_folders: None) -> Iterator[Run]:
    """
    A pool of each kind, which was there before anything was handed over.
    """
    with open_pool(request.param) as run:
        run(abs, [1, 2])
        yield run


def test_arguments_are_handed_over_wherever_they_are(run: Run, box: Box) -> None:
    items = [box, [box], {"a": (box,)}, Box(box)]
    found = run(give_back, items)
    assert found == [HANDED, [HANDED], {"a": (HANDED,)}, Box(HANDED)]


def test_objects_of_the_same_kind_go_as_ever(run: Run, box: Box) -> None:
    assert run(give_back, [Box(1), box, Box([box])]) == [Box(1), HANDED, Box([HANDED])]


def test_a_large_array_is_handed_over(run: Run) -> None:
    """
    For arrays there is also a way of joblib's own.
    """
    array, other = np.arange(10_000.0), np.arange(10.0)
    handover.add(array, give("box"))
    first, second = run(give_back, [array, other])
    assert first == HANDED
    np.testing.assert_array_equal(second, other)


def test_what_was_discarded_goes_as_ever(run: Run, box: Box) -> None:
    assert run(give_back, [box]) == [HANDED]
    handover.discard(box)
    assert run(give_back, [box]) == [box]


@pytest.mark.parametrize("kind", POOLS)
def test_an_error_of_handing_over_is_that_of_the_task(kind: str, box: Box) -> None:
    """
    The pool goes on. An error of loky's own names this one as its cause.
    """
    handover.add(box, refuse)
    with open_pool(kind) as run:
        with pytest.raises((DataEncodeError, PicklingError)) as caught:
            run(give_back, [box])
        assert isinstance(caught.value, PicklingError) == ("loky" in kind)
        assert "box.lock" in str(caught.value) + str(caught.value.__cause__)
        assert run(give_back, [1, 2]) == [1, 2]
        handover.add(box, give("box"))
        assert run(give_back, [box]) == [HANDED]


@pytest.mark.parametrize("kind", BY_VALUE)
def test_a_function_by_value_brings_what_it_names(kind: str, box: Box) -> None:
    space: dict[str, Any] = {"box": box, "__name__": "__main__"}
    exec("def look(_): return box", space)
    with open_pool(kind) as run:
        assert run(space["look"], [1, 2]) == [HANDED] * 2
        assert run(lambda _: [box], [1, 2]) == [[HANDED]] * 2


@pytest.mark.parametrize("kind", STARTED)
def test_workers_are_started_with_what_is_handed_over(kind: str, box: Box) -> None:
    with open_pool(kind, start_with, box) as run:
        assert run(give_start, [1, 2]) == [HANDED] * 2


@pytest.mark.parametrize("kind", ["executor fork", "pool fork"])
def test_forked_workers_are_started_with_the_very_object(kind: str, box: Box) -> None:
    """
    Nothing is pickled for them: they have all that was there.
    """
    with open_pool(kind, start_with, box) as run:
        assert run(give_start, [1]) == [box]


@pytest.mark.parametrize("kind", STARTED)
def test_an_error_at_the_start_is_raised(kind: str, box: Box) -> None:
    handover.add(box, refuse)
    with (
        pytest.raises(DataEncodeError, match=r"box\.lock"),
        open_pool(kind, start_with, box) as run,
    ):
        run(give_start, [1])


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_pipes_queues_and_processes_hand_over(method: str, box: Box) -> None:
    context: Any = multiprocessing.get_context(method)
    queue, (near, far) = context.Queue(), context.Pipe()
    worker = context.Process(target=_pass_on, args=(queue, far, box))
    worker.start()
    far.close()
    near.send([box])
    assert near.recv() == [HANDED]
    queue.put({"a": box})
    assert near.recv() == {"a": HANDED}
    assert near.recv() == (box if method == "fork" else HANDED)
    worker.join(DEADLINE_S)
    assert worker.exitcode == 0
    near.close()
    queue.close()
    queue.join_thread()


def test_an_error_in_a_queue_is_printed_and_what_follows_arrives(
    box: Box, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    As with anything else that a queue cannot pickle.
    """
    handover.add(box, refuse)
    queue: Any = multiprocessing.Queue()
    queue.put(box)
    queue.put("next")
    assert queue.get(timeout=DEADLINE_S) == "next"
    queue.close()
    queue.join_thread()
    assert "box.lock" in capfd.readouterr().err


def _pass_on(queue: Any, pipe: Any, argument: Any) -> None:
    pipe.send(pipe.recv())
    pipe.send(queue.get(timeout=DEADLINE_S))
    pipe.send(argument)


LATE = """
import sys
from duck_jupyter.data.handover import handover
from tests.support.handed import Box, Handed, give, give_back

def is_loaded():
    return any(name.split(".")[0] in ("loky", "joblib") for name in sys.modules)

finders = list(sys.meta_path)
box = Box(1)
handover.add(box, give("box"))
assert not is_loaded()
from tests.support.pools import open_pool
with open_pool("{kind}") as run:
    found = run(give_back, [box, [box], Box(2)])
assert found == [Handed("box"), [Handed("box")], Box(2)], found
handover.clear()
assert sys.meta_path == finders
assert is_loaded()
"""


@pytest.mark.parametrize("kind", ["loky", "joblib loky", "joblib multiprocessing"])
def test_pools_that_are_imported_later_hand_over(kind: str) -> None:
    done = run_python(LATE.format(kind=kind))
    assert (done.returncode, done.stderr) == (0, "")


MAPPED = """
import numpy as np
from duck_jupyter.data.handover import handover
from tests.support.handed import give, give_class
from tests.support.pools import open_pool

array, other = np.arange(10_000.0), np.arange(10_000.0)
handover.add(array, give("array"))
with open_pool("{kind}") as run:
    found = run(give_class, [array, other])
assert found == ["Handed", "memmap"], found
"""


BESIDE = """
from duck_jupyter.data.handover import handover
from duck_jupyter.data.pickler_hooks import Taps
from tests.support.handed import Box, Handed, give, give_back
from tests.support.pools import open_pool

box = Box(1)
handover.add(box, give("box"))
Taps(lambda: None, {{}}, lambda: None, []).open()
with open_pool("{kind}") as run:
    found = run(give_back, [box] * 1000)
assert found == [Handed("box")] * 1000, found
"""


@pytest.mark.parametrize("kind", ["loky", "joblib loky"])
def test_hooks_beside_others_are_inserted_once(kind: str) -> None:
    """
    Loky asks for them with each pickle, and those of others may have come after them.
    """
    done = run_python(BESIDE.format(kind=kind))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["joblib loky", "joblib multiprocessing"])
def test_what_joblib_maps_itself_it_still_does(kind: str) -> None:
    done = run_python(MAPPED.format(kind=kind))
    assert (done.returncode, done.stderr) == (0, "")
