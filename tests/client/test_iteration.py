"""
Iteration: in batches where nothing is lost by it, item by item elsewhere.
"""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

import pytest

from tests.support.objects import Countdown, CustomError, breaks_after, numbers
from tests.support.processes import wait_until

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


def test_a_list_that_grows_meanwhile_is_followed(
    server: ProxyServer, worker: Worker
) -> None:
    target = list(range(100))
    code = """
result = []
for n in p:
    result.append(n)
    if n == 10:
        p.append(-1)
"""
    assert worker.exec(code, p=server.create_proxy(target)) == [*range(100), -1]


def test_a_dictionary_that_changes_meanwhile_says_so(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(dict.fromkeys(range(200)))
    code = "for n in p:\n    if n == 10: p['new'] = 1"

    with pytest.raises(RuntimeError, match="changed size"):
        worker.exec(code, p=proxy)


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
