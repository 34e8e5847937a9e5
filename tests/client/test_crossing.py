"""
What crosses from the kernel to a worker and back: values, proxies, callables.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import fractions
import math
import pickle
import uuid
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.support.counting import statistics_after
from tests.support.objects import (
    Colour,
    Countdown,
    CustomError,
    Frozen,
    Pair,
    Plain,
    Point,
    Tally,
    Thawed,
    numbers,
    plus_one,
)

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

VALUES = [
    *(
        None,
        True,
        False,
        0,
        -1,
        2**63 - 1,
        2**63,
        2**64,
        -(2**63),
        -(2**63) - 1,
        10**40,
    ),
    *(1.5, float("inf"), -0.0, 2j, "", "text", "ünï", "\ud800", "a\0b", b"", b"\xff"),
    *("<proxy>-1", "<callable>-add", "<proxy>-1 (list)", ["<proxy>-1"]),
    *([], [1, [2, [3]]], (), (1, (2, (3,))), {}, {"a": {1: (2,)}}, {(1, 2): [3]}),
    *(set(), {"a"}, {1, 2, 3}, frozenset({1, frozenset({2})}), [({1}, [{2: {3}}])]),
    *(bytearray(b"ab"), range(2, 9, 3), slice(1, None, 2), ..., NotImplemented),
    *(np.float64(1.5), np.int8(-3), np.bool_(True), np.str_("a"), np.complex64(1j)),
    *(np.datetime64("2013-01-05"), np.timedelta64(3, "s"), np.dtype("f4")),
    *(pd.Timestamp("2013-01-05 06:00", tz="America/New_York"), pd.Timedelta(3, "s")),
    *(pd.Period("2013-01"), pd.Interval(0, 1), [pd.NaT, pd.NA]),
    datetime.datetime(2013, 1, 5, 6, tzinfo=datetime.timezone.utc),
    datetime.datetime(2013, 1, 5, tzinfo=zoneinfo.ZoneInfo("Europe/Zurich")),
    *(datetime.date(2013, 1, 5), datetime.time(6, 30), datetime.timedelta(1, 2, 3)),
    *(decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=7)),
    *(Path("/a/b"), Colour.RED, {Colour.BLUE: Colour}, Point(1, [2]), Pair(1, {2})),
    *(Frozen("a", (1, 2)), {"k": Frozen("b")}, Point(1, Frozen("c"))),
    *(int, dict, type(None), Plain, Colour, ValueError, plus_one, len, math.sqrt),
]


def shape(values: list[Any]) -> list[tuple[type, str]]:
    """
    Give the types and texts of values: nan and NA are not equal to themselves.
    """
    return [(type(value), repr(value)) for value in values]


def test_values_come_back_as_the_very_types_they_were(
    server: ProxyServer, worker: Worker
) -> None:
    target: Any = Plain()
    proxy = server.create_proxy(target)

    found = []
    for value in VALUES:
        target.value = value
        found.append(worker.eval("p.value", p=proxy))

    assert shape(found) == shape(VALUES)


def test_values_arrive_as_the_very_types_they_were(
    server: ProxyServer, worker: Worker
) -> None:
    seen: list[Any] = []
    code = (
        "for v in values:\n    p.append(v)\np.extend(values)\np.append({'k': values})"
    )
    worker.exec(code, p=server.create_proxy(seen), values=VALUES)

    assert shape(seen.pop()["k"]) == shape(VALUES)
    assert shape(seen) == shape(VALUES * 2)


def test_classes_and_functions_come_back_as_themselves(
    server: ProxyServer, worker: Worker
) -> None:
    named = {"Plain": Plain, "Colour": Colour, "plus_one": plus_one, "len": len}
    proxy = server.create_proxy(named)

    assert worker.eval("all(p[n] is eval(n) for n in list(p))", p=proxy)
    assert worker.eval("p['Colour'].RED is Colour.RED", p=proxy)


@pytest.mark.parametrize(
    "error",
    [KeyError("k"), CustomError("text", 7), OSError(2, "gone"), StopIteration(3)],
)
def test_an_exception_is_a_value(
    server: ProxyServer, worker: Worker, error: Exception
) -> None:
    found = worker.eval("[p.value]", p=server.create_proxy(Plain(value=error)))[0]

    assert type(found) is type(error)
    assert (found.args, vars(found)) == (error.args, vars(error))


def test_nan_and_its_kind_come_back(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy([float("nan"), np.float32("nan")])

    assert [math.isnan(x) for x in worker.eval("p[:]", p=proxy)] == [True, True]


@pytest.mark.parametrize(
    "target",
    [
        Tally(),
        Thawed("a"),
        np.arange(3),
        pd.DataFrame({"a": [1]}),
        numbers(3),
        object(),
    ],
    ids=lambda target: type(target).__name__,
)
def test_everything_else_is_a_proxy_of_the_next_level(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    proxy = server.create_proxy(Plain(value=target, many=[target, (target,)]))
    name = type(target).__name__

    code = "(lambda ref: (ref.idx, ref.level, ref.type_name))(p.value._duck_ref)"
    assert worker.eval(code, p=proxy) == (2, 1, name)
    code = "isinstance(p.many[1][0], Proxy) and p.many[0] == p.many[1][0]"
    if not isinstance(target, (np.ndarray, pd.DataFrame)):
        assert worker.eval(code, p=proxy)


def test_a_mutable_container_comes_as_a_copy(
    server: ProxyServer, worker: Worker
) -> None:
    target = Plain(paths=["a"], by_name={"n": [1]})
    code = "a, b = p.paths, p.by_name['n']; a.append('lost'); b.append('lost')"
    worker.exec(code, p=server.create_proxy(target))

    assert vars(target) == {"paths": ["a"], "by_name": {"n": [1]}}


@dataclasses.dataclass(frozen=True)
class Meddling:
    """
    A value that changes the container that it is in while it is pickled, a few times.
    """

    times: list[int]

    def __getstate__(self) -> dict[str, Any]:
        if self.times and found:
            found[0][self.times.pop()] = 1
        return {"times": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


found: list[dict[int, Any]] = []


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_container_that_changes_meanwhile_comes_as_a_copy(
    server: ProxyServer, worker: Worker, times: int
) -> None:
    target = {-1: Meddling(list(range(times))), -2: Meddling([])}
    found[:] = [target]
    try:
        code = "type(p.rows), {-1, -2} <= p.rows.keys(), type(p.rows[-1]).__name__"
        seen = worker.eval(code, p=server.create_proxy(Plain(rows=target)))
    finally:
        found.clear()

    assert seen == (dict, True, "Meddling")


def test_ref_gives_the_live_container(server: ProxyServer, worker: Worker) -> None:
    target = Plain(paths=["a"], by_name={"n": [1]}, number=5)
    code = """
paths = ref(p).paths
paths.append("b")
ref(ref(p).by_name)["n"].append(2)
ref(p).number = 6
result = type(paths).__name__, type(ref(p).number).__name__, list(paths)
"""
    found = worker.exec(code, p=server.create_proxy(target))

    assert found == ("Proxy[list]", "Proxy[int]", ["a", "b"])
    assert vars(target) == {"paths": ["a", "b"], "by_name": {"n": [1, 2]}, "number": 6}


def test_ref_works_in_the_kernel_as_well(server: ProxyServer) -> None:
    from duck_jupyter.client.references import ref

    target: Any = Plain(paths=["a"])
    ref(server.create_proxy(target)).paths.append("b")

    assert target.paths == ["a", "b"]


class Closing:
    """
    An object with names that a proxy has for itself.
    """

    closed = False

    def close(self) -> str:
        self.closed = True
        return "closed"


def test_ref_reaches_the_objects_own_close(server: ProxyServer, worker: Worker) -> None:
    target = Closing()
    worker.exec("ref(p).close(); detach(p); detach(p)", p=server.create_proxy(target))

    assert target.closed


def test_a_proxy_in_arguments_is_the_object_itself(
    server: ProxyServer, worker: Worker
) -> None:
    target = Tally()
    other: list[Any] = []
    proxy, far = server.create_proxy(target), server.create_proxy(other)
    code = """
result = [
    p.is_me(p), p.is_me(value=p), p.is_me(q), p.type_name_of(q), p.type_name_of([q]),
]
q.extend([q, {"k": (q, p)}, p.add])
"""
    assert worker.exec(code, p=proxy, q=far) == [True, True, False, "list", "list"]
    assert other[0] is other
    assert other[1]["k"][0] is other
    assert other[1]["k"][1] is target
    assert other[2] == target.add


def test_a_mask_that_stays_in_the_kernel_selects_rows(
    server: ProxyServer, worker: Worker
) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]})
    code = "(df[mask].a.tolist(), df[df.a > 1].shape, df.loc[mask, 'a'].sum())"
    names = {"df": server.create_proxy(frame), "mask": server.create_proxy(frame.a > 1)}

    assert worker.eval(code, **names) == ([2, 3], (2, 1), 5)


def test_an_object_of_the_workers_is_copied_in(
    server: ProxyServer, worker: Worker
) -> None:
    kept: list[Any] = []
    code = "p.extend([Tally(4), np.arange(10_000), lambda x: x + 1, Countdown])"
    worker.exec(code, p=server.create_proxy(kept))

    assert (type(kept[0]), kept[0].value) == (Tally, 4)
    assert (kept[1] == np.arange(10_000)).all()
    assert kept[2](1) == 2
    assert kept[3] is Countdown


def test_functions_and_methods_come_back_callable(
    server: ProxyServer, worker: Worker
) -> None:
    tally = Tally(3)
    target = Plain(
        plain=plus_one,
        shy=lambda n: n * 10,
        bound=tally.add,
        own=tally.count,
        built_in=[1, 2].index,
        kind=Tally,
        many={"f": tally.count, "g": plus_one},
    )
    code = """
result = [
    p.plain(1), p.shy(2), p.bound(1, b=2), p.own(), p.built_in(2), p.kind(9).value,
    p.many["f"](), p.many["g"](3), callable(p.shy), [*map(p.shy, [1, 2])],
]
"""
    found = worker.exec(code, p=server.create_proxy(target))

    assert found == [2, 20, 3, 4, 1, 9, 5, 4, True, [10, 20]]
    assert tally.value == 5


def test_a_method_travels_by_itself(server: ProxyServer, worker: Worker) -> None:
    target = Tally(3)
    method = server.create_proxy(target).count

    assert [worker.eval("f()", f=method), worker.eval("f()", f=method)] == [4, 5]
    assert target.value == 5
    assert len(pickle.dumps(method)) < 500
    assert worker.eval("f == p.count and f != p.add", f=method, p=method.__self__)
    assert worker.eval("repr(f)", f=method).startswith("<callable>-count of <proxy>-")


def test_a_proxy_pickles_to_400_bytes_at_most(
    server: ProxyServer, worker: Worker
) -> None:
    kind = type("A" * 300, (), {})

    assert len(pickle.dumps(server.create_proxy(kind()))) <= 400
    assert len(pickle.dumps(server.create_proxy(pd.DataFrame({"a": [1]})))) <= 400
    code = "len(__import__('pickle').dumps(p.shy))"
    proxy = server.create_proxy(Plain(shy=kind()), name="n" * 300)
    assert worker.eval(code, p=proxy) <= 400


def test_a_method_call_is_one_round_trip_after_the_first(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally())
    worker.exec("for _ in range(10): p.add(1, 2)\nq = p.fresh\np.count()", p=proxy)

    totals = statistics_after(server, 14).totals
    assert (totals.gets, totals.executes) == (3, 11)


def test_methods_of_a_type_are_known_for_all_its_objects(
    server: ProxyServer, worker: Worker
) -> None:
    first, second = server.create_proxy(Tally()), server.create_proxy(Tally())
    worker.exec("p.add(1); q.add(1); q.fresh; p.fresh", p=first, q=second)

    assert statistics_after(server, 4).totals.gets == 2


def test_what_an_object_hides_behind_a_method_is_seen(
    server: ProxyServer, worker: Worker
) -> None:
    shadowed = Tally()
    shadowed.__dict__["count"] = 5
    code = "result = p.count(), q.count"
    names = {"p": server.create_proxy(Tally()), "q": server.create_proxy(shadowed)}

    assert worker.exec(code, **names)[0] == 1


def test_large_values_travel_beside_the_buffer(
    server: ProxyServer, worker: Worker
) -> None:
    target: Any = Plain(text="x" * 1_000_000, data=b"y" * 300_000)
    proxy = server.create_proxy(target)
    code = (
        "p.back = p.text[::-1] + '!'; p.array = np.ones(200_000); result = len(p.data)"
    )

    assert worker.exec(code, p=proxy) == 300_000
    assert len(target.back) == 1_000_001
    assert target.array.sum() == 200_000
