"""
What is handed over, what is not, and that nothing of it stays behind.
"""

from __future__ import annotations

import copyreg
import datetime
import gc
import os
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from io import BytesIO
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from duck_jupyter.data.handover import handover
from duck_jupyter.errors import DataEncodeError
from tests.support.handed import Box, Handed, give, give_back, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: By name, since each is made twice.
KINDS: dict[str, Callable[[], Any]] = {
    "array": lambda: np.arange(100.0),
    "frame": lambda: pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
    "index": lambda: pd.Index(["a", "b"]),
    "date": lambda: datetime.datetime(2026, 1, 2, 3),
    "object": lambda: Box([1, "two"]),
    "number": lambda: np.float64(1.5),
    "fraction": lambda: Fraction(1, 3),
    "nothing": lambda: Ellipsis,
}


def plain_dumps(obj: Any, protocol: int | None = None) -> bytes:
    """
    Pickle as ForkingPickler does where nobody has changed it.
    """
    buffer = BytesIO()
    pickler = pickle.Pickler(buffer, protocol)
    pickler.dispatch_table = copyreg.dispatch_table.copy()
    pickler.dispatch_table.update(ForkingPickler._extra_reducers)  # type: ignore[attr-defined]
    pickler.dump(obj)
    return buffer.getvalue()


def dumps(obj: Any, protocol: int | None = None) -> bytes:
    """
    Pickle as pools do.
    """
    return bytes(ForkingPickler.dumps(obj, protocol))


def cross(obj: Any) -> Any:
    """
    Give what a worker would find.
    """
    return pickle.loads(dumps(obj))


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """
    End each test with nothing handed over.
    """
    yield
    handover.clear()
    handover.on_pickling = None


@pytest.fixture
def box() -> Box:
    """
    Something that is handed over.
    """
    box = Box(1)
    handover.add(box, give("box"))
    return box


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_goes_as_what_is_given_for_it(kind: str) -> None:
    obj = KINDS[kind]()
    handover.add(obj, give(kind))
    assert cross(obj) == Handed(kind)


@pytest.mark.parametrize("protocol", [None, 2, 4, 5])
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"nothing"}))
def test_an_equal_of_it_goes_byte_for_byte_as_ever(
    kind: str, protocol: int | None
) -> None:
    handover.add(KINDS[kind](), give(kind))
    other = KINDS[kind]()
    assert dumps(other, protocol) == plain_dumps(other, protocol)


def test_everything_else_goes_byte_for_byte_as_ever(box: Box) -> None:
    others: list[Any] = [None, 1, "a", {}, [()], print, give_back, Box, Handed("x")]
    for other in others:
        assert dumps(other) == plain_dumps(other)


def test_a_function_or_a_class_is_an_object_too() -> None:
    handover.add(give_back, give("function"))
    handover.add(Box, give("class"))
    assert cross([give_back, Box]) == [Handed("function"), Handed("class")]


def test_it_is_found_wherever_it_is(box: Box) -> None:
    within = [box, (box,), {"a": {"b": box}}, Box(box)]
    here = Handed("box")
    assert cross(within) == [here, (here,), {"a": {"b": here}}, Box(here)]


def test_in_one_pickle_it_is_given_once(box: Box) -> None:
    first, second = cross([box, box])
    assert first is second


@pytest.mark.parametrize(
    "container", [{"a": 1}, [1], (1, 2), {1}, frozenset({1})], ids=repr
)
def test_a_builtin_container_goes_as_ever(container: Any) -> None:
    handover.add(container, give("container"))
    assert dumps(container) == plain_dumps(container)


def test_a_kind_of_dict_is_handed_over() -> None:
    class Table(dict[str, int]):
        pass

    table = Table(a=1)
    handover.add(table, give("table"))
    assert cross([table]) == [Handed("table")]


def test_a_reducer_that_others_registered_still_counts(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    reducers = ForkingPickler._extra_reducers  # type: ignore[attr-defined]
    monkeypatch.setitem(reducers, Box, lambda box: (Handed, ("theirs",)))
    monkeypatch.setitem(
        copyreg.dispatch_table, Fraction, lambda number: (Handed, ("number",))
    )
    found = cross([box, Box(2), Fraction(1, 2)])
    assert found == [Handed("box"), Handed("theirs"), Handed("number")]


def test_a_pickler_derived_from_that_of_pools_hands_over_too(box: Box) -> None:
    class Derived(ForkingPickler):
        pass

    assert pickle.loads(bytes(Derived.dumps(box))) == Handed("box")


def test_a_later_way_replaces_the_first(box: Box) -> None:
    handover.add(box, give("later"))
    assert cross(box) == Handed("later")


def test_what_was_discarded_goes_as_ever(box: Box) -> None:
    other = Box(2)
    handover.add(other, give("other"))
    handover.discard(box)
    handover.discard(box)
    assert cross([box, other]) == [box, Handed("other")]


def test_after_clear_all_go_as_ever(box: Box) -> None:
    handover.clear()
    handover.clear()
    assert cross(box) == box


@pytest.mark.parametrize("end", ["discard", "clear"])
def test_nothing_keeps_what_was_discarded(end: str) -> None:
    box = Box(1)
    handover.add(box, give("box"))
    cross(box)
    seen = weakref.ref(box)
    if end == "clear":
        handover.clear()
    else:
        handover.discard(box)
    del box
    assert seen() is None


def test_what_was_handed_over_can_be_dropped_by_code_that_runs_on_its_end() -> None:
    """
    A destructor may come back to us.
    """
    ended: list[str] = []

    class Last:
        def __del__(self) -> None:
            handover.discard(other)
            ended.append("last")

    other = Box(2)
    last = Last()
    handover.add(other, give("other"))
    handover.add(last, give("last"))
    del last
    handover.clear()
    gc.collect()
    assert ended == ["last"]


def test_what_giving_raises_reaches_who_pickles(box: Box) -> None:
    handover.add(box, refuse)
    with pytest.raises(DataEncodeError, match=r"box\.lock"):
        dumps([box])
    handover.add(box, give("again"))
    assert cross(box) == Handed("again")


@pytest.mark.parametrize("protocol", [None, 5])
def test_whoever_gives_may_let_an_object_go_as_ever(
    box: Box, protocol: int | None
) -> None:
    handover.add(box, lambda: NotImplemented)
    assert dumps(box, protocol) == plain_dumps(box, protocol)


def test_before_each_pickling_someone_is_called_once(box: Box) -> None:
    calls: list[int] = []
    handover.on_pickling = lambda: calls.append(1)
    for count in (1, 2, 3):
        cross([box, Box(2), Box(3), box])
        assert len(calls) == count


def test_who_is_called_may_add_and_discard(box: Box) -> None:
    """
    A variable that was rebound is followed before anything is looked up.
    """
    other = Box(2)

    def follow() -> None:
        handover.discard(box)
        handover.add(other, give("other"))

    handover.on_pickling = follow
    assert cross([box, other]) == [box, Handed("other")]


def test_who_is_called_may_pickle_for_a_pool_itself(box: Box) -> None:
    found: list[Any] = []
    handover.on_pickling = lambda: found.append(cross(box))
    assert cross([box]) == [Handed("box")]
    assert found == [Handed("box")]


def test_what_the_called_raises_reaches_who_pickles(box: Box) -> None:
    def fail() -> None:
        raise DataEncodeError("no")

    handover.on_pickling = fail
    for _ in range(2):
        with pytest.raises(DataEncodeError):
            dumps(1)
    handover.on_pickling = None
    assert cross(box) == Handed("box")


def test_several_threads_pickle_while_others_add_and_discard(box: Box) -> None:
    others = [Box(number) for number in range(20)]
    start = threading.Barrier(6)

    def pickle_all() -> bool:
        start.wait()
        return all(cross([box]) == [Handed("box")] for _ in range(300))

    def add_and_discard() -> bool:
        start.wait()
        for _ in range(100):
            for other in others:
                handover.add(other, give("other"))
            for other in others:
                handover.discard(other)
        return True

    with ThreadPoolExecutor(6) as pool:
        jobs = [pickle_all] * 4 + [add_and_discard] * 2
        assert all(job.result(30) for job in [pool.submit(job) for job in jobs])


def test_threads_that_open_and_close_it_leave_all_as_it_was() -> None:
    before = dict(vars(ForkingPickler))

    def flicker(number: int) -> None:
        box = Box(number)
        for _ in range(200):
            handover.add(box, give("box"))
            assert cross(box) == Handed("box")
            handover.discard(box)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(flicker, range(4)))
    assert dict(vars(ForkingPickler)) == before


def test_in_a_forked_child_nothing_is_handed_over(box: Box) -> None:
    """
    And its own objects may be, though the parent was in the middle of something.
    """
    handover.on_pickling = None
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with handover._taps.lock:
            locked.set()
            done.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(20)
    child = os.fork()
    if not child:
        code = 1
        try:
            assert cross(box) == box
            handover.add(box, give("child"))
            assert cross(box) == Handed("child")
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    done.set()
    holder.join()
    assert os.waitstatus_to_exitcode(status) == 0
    assert cross(box) == Handed("box")
