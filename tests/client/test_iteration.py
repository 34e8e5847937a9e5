"""
Iteration: in batches where nothing is lost by it, item by item elsewhere.
"""

from __future__ import annotations

import queue
import threading
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.objects import Countdown, CustomError, breaks_after, numbers
from tests.support.processes import wait_until
from tests.support.workers import execute

if TYPE_CHECKING:
    from pathlib import Path

    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


def calls(server: ProxyServer) -> int:
    """
    Count the requests that the server has answered.
    """
    return server.statistics().totals.calls


def test_a_sequence_comes_in_batches(server: ProxyServer, worker: Worker) -> None:
    target = list(range(100_000))
    proxy = server.create_proxy(target)
    assert worker.eval("sum(p)", p=proxy) == sum(target)

    assert calls(server) < 50


@pytest.mark.parametrize(
    "target",
    [[3, 4], {3: 0, 4: 0}, {3, 4}, deque([3, 4]), b"\3\4", {3: 0, 4: 0}.keys()],
)
def test_an_iterator_over_few_items_is_that_of_a_list(
    target: Any, server: ProxyServer, worker: Worker
) -> None:
    code = """
import pickle
it = iter(p)
result = it.__length_hint__(), next(it), list(pickle.loads(pickle.dumps(it))), list(it)
"""
    proxy = server.create_proxy(target)
    assert worker.exec(code, p=proxy) == (2, 3, [4], [4])


def test_a_generator_comes_item_by_item(server: ProxyServer, worker: Worker) -> None:
    target = numbers(10)
    proxy = server.create_proxy(target)
    code = "result = []\nfor n in p:\n    result.append(n)\n    if n == 3: break"

    assert worker.exec(code, p=proxy) == [0, 1, 2, 3]
    assert list(target) == [4, 5, 6, 7, 8, 9]


def test_an_object_of_no_length_is_not_run_ahead_of(
    server: ProxyServer, worker: Worker
) -> None:
    code = "it = iter(p); result = [next(it), next(it)]"

    assert worker.exec(code, p=server.create_proxy(Countdown(5))) == [5, 4]


def test_a_file_comes_line_by_line(
    server: ProxyServer, worker: Worker, tmp_path: Path
) -> None:
    path = tmp_path / "lines"
    path.write_text("one\ntwo\nthree\n")
    with path.open() as file:
        proxy = server.create_proxy(file)

        assert worker.eval("next(p), next(iter(p))", p=proxy) == ("one\n", "two\n")
        assert file.readline() == "three\n"


def test_a_queue_is_read_until_it_says_so(server: ProxyServer, worker: Worker) -> None:
    target: queue.Queue[int] = queue.Queue()
    for n in range(5):
        target.put(n)
    proxy = server.create_proxy(target)

    assert worker.eval("list(iter(p.get, 3))", p=proxy) == [0, 1, 2]
    assert target.get_nowait() == 4
    with pytest.raises(queue.Empty):
        worker.eval("p.get_nowait()", p=proxy)


def test_what_a_generator_raises_comes_after_its_items(
    server: ProxyServer, worker: Worker
) -> None:
    code = """
result = []
try:
    for n in p:
        result.append(n)
except CustomError as error:
    result.append((str(error), error.code))
"""
    found = worker.exec(code, p=server.create_proxy(breaks_after(2)))

    assert found == [0, 1, ("no more", 5)]


class Breaking:
    """
    A sized collection whose iteration fails half way.
    """

    def __len__(self) -> int:
        return 200

    def __iter__(self) -> object:
        return breaks_after(100)


def test_what_a_batch_raises_comes_after_its_items(
    server: ProxyServer, worker: Worker
) -> None:
    code = """
result = []
try:
    for n in p:
        result.append(n)
except CustomError as error:
    result.append(error.code)
"""
    found = worker.exec(code, p=server.create_proxy(Breaking()))

    assert found == [*range(100), 5]


def test_an_empty_generator_ends_at_once(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(numbers(0))

    assert worker.eval("list(p)", p=proxy) == []
    with pytest.raises(StopIteration):
        worker.eval("next(p)", p=proxy)


def test_two_iterations_do_not_disturb_each_other(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(list(range(300)))

    assert worker.eval("list(zip(p, p)) == [(n, n) for n in range(300)]", p=proxy)


def growing(make: Any) -> tuple[Any, Any, str]:
    """
    Give a container, what is iterated of it, and code that makes it larger.
    """
    target = make()
    if isinstance(target, dict):
        return target, target, "p['new'] = 1"
    if isinstance(target, tuple):
        return target[0], target[1], "p['new'] = 1"
    return target, target, "getattr(p, 'append' if hasattr(p, 'append') else 'add')(7)"


def views(target: Any) -> list[Any]:
    return [
        (target, target.keys()),
        (target, target.values()),
        (target, target.items()),
    ]


CONTAINERS = {
    "list": lambda: list(range(200)),
    "set": lambda: set(range(1000, 1200)),
    "deque": lambda: deque(range(200)),
    "dict": lambda: dict.fromkeys(range(200)),
    "OrderedDict": lambda: OrderedDict.fromkeys(range(200)),
    "defaultdict": lambda: defaultdict(int, zip(range(200), range(200), strict=True)),
    "Counter": lambda: Counter(range(200)),
    "bytearray": lambda: bytearray(range(200)),
    "array": lambda: array("q", range(200)),
    "a list of a class": lambda: Listed(range(200)),
    **{
        f"{view} of {kind.__name__}": partial(
            lambda kind, n: views(kind.fromkeys(range(200), 5))[n], kind, number
        )
        for kind in (dict, OrderedDict)
        for number, view in enumerate(("keys", "values", "items"))
    },
}


class Listed(list[Any]):
    """
    A list with a method more.
    """

    def total(self) -> int:
        return sum(self)


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("where", ["worker", "kernel"])
def test_a_builtin_container_is_iterated_as_it_was(
    server: ProxyServer, worker: Worker, make: Any, where: str
) -> None:
    target, iterated, grow = growing(make)
    before = list(iterated)
    code = f"""
result = []
for n in q:
    result.append(n)
    if len(result) == 10:
        {grow}
"""
    names = {"p": server.create_proxy(target), "q": server.create_proxy(iterated)}
    found = worker.exec(code, **names) if where == "worker" else execute(code, names)

    assert found == before
    assert len(target) == len(before) + 1


@pytest.mark.parametrize("name", ["list", "deque", "dict", "items of dict"])
def test_a_builtin_container_is_iterated_backwards_as_it_was(
    server: ProxyServer, worker: Worker, name: str
) -> None:
    target, iterated, grow = growing(CONTAINERS[name])
    before = list(iterated)
    code = f"""
result = []
for n in reversed(q):
    result.append(n)
    if len(result) == 10:
        {grow}
"""
    names = {"p": server.create_proxy(target), "q": server.create_proxy(iterated)}

    assert worker.exec(code, **names) == before[::-1]


class Follower:
    """
    A sized collection with an iterator of its own.
    """

    def __init__(self) -> None:
        self.items = list(range(100))

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Any:
        return iter(self.items)


class FollowedList(list[int]):
    """
    A list with an iterator of its own.
    """

    def __iter__(self) -> Any:
        yield from super().__iter__()


@pytest.mark.parametrize("make", [Follower, lambda: FollowedList(range(100))])
def test_what_has_an_iterator_of_its_own_is_followed(
    server: ProxyServer, worker: Worker, make: Any
) -> None:
    target = make()
    rows = getattr(target, "items", target)
    code = """
result = []
for n in p:
    result.append(n)
    if n == 10:
        q.append(-1)
"""
    names = {"p": server.create_proxy(target), "q": server.create_proxy(rows)}

    assert worker.exec(code, **names) == [*range(100), -1]


class Meddling:
    """
    A key whose hash changes the container that it is in, a few times.
    """

    def __init__(self, times: int) -> None:
        self.times = times
        self.target: dict[Any, int] = {}

    def __hash__(self) -> int:
        if self.target and self.times:
            self.times -= 1
            self.target[self.times] = 1
            del self.target[self.times]
        return 1


@pytest.mark.parametrize("times", [5, 10**6])
def test_a_copy_that_meets_a_change_is_made_anew(
    server: ProxyServer, worker: Worker, times: int
) -> None:
    key = Meddling(times)
    target = OrderedDict({key: 1, "a": 2})
    key.target = target
    code = "sorted(v for v in p.values())"
    proxy = server.create_proxy(target)
    if times > 100:
        with pytest.raises(RuntimeError, match="mutated"):
            worker.eval(code, p=proxy)
    else:
        assert worker.eval(code, p=proxy) == [1, 2]


def test_containers_are_read_while_others_insert(
    server: ProxyServer, worker: Worker
) -> None:
    target = {f"x{n}": n for n in range(3000)}
    kept: set[int] = set()
    ended = threading.Event()

    def insert() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            target[f"y{number % 3000}"] = number
            target.pop(f"y{(number - 50) % 3000}", None)
            kept.add(number % 3000)
            kept.discard((number - 50) % 3000)

    inserting = threading.Thread(target=insert)
    inserting.start()
    try:
        code = """
for _ in range(20):
    assert all(type(v) is int for k, v in p.items())
    assert len(list(p.values())) >= 3000
    assert len([k for k in p]) >= 3000
    assert len([k for k in q]) <= 3000
"""
        names = {"p": server.create_proxy(target), "q": server.create_proxy(kept)}
        worker.exec(code, **names)
    finally:
        ended.set()
        inserting.join()


def test_an_iteration_that_is_left_leaves_nothing(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(list(range(1000)))
    worker.exec("iter(p); it = iter(p); next(it); del it\nfor n in p: break", p=proxy)

    assert wait_until(lambda: len(server.table.entries) == 1)


def test_an_iteration_that_ends_leaves_nothing(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(list(range(1000)))
    worker.eval("(list(p), list(reversed(p)), 2000 in list(p))", p=proxy)

    assert wait_until(lambda: len(server.table.entries) == 1)


def test_an_error_in_an_iteration_carries_its_state(
    server: ProxyServer, worker: Worker
) -> None:
    with pytest.raises(CustomError, match="no more") as caught:
        worker.eval("list(p)", p=server.create_proxy(breaks_after(70)))

    assert caught.value.code == 5
    assert "breaks_after" in str(caught.value.__cause__)


def test_iterating_over_objects_gives_proxies_of_them(
    server: ProxyServer, worker: Worker
) -> None:
    target = [Countdown(n) for n in range(100)]
    proxy = server.create_proxy(target)

    assert worker.eval("[c.first for c in p]", p=proxy) == list(range(100))
    assert wait_until(lambda: len(server.table.entries) == 1)
