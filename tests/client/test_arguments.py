"""
Iterators among the arguments: read where they are, and iterators again in the kernel.
"""

from __future__ import annotations

import io
import sqlite3
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.errors import DataEncodeError, DataTooBigError
from duck_jupyter.proxy import ProxyServer
from tests.support.objects import Plain, Tally

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workers import Worker


class Taker:
    """
    It keeps what it is given.
    """

    def __init__(self) -> None:
        self.kind = ""
        self.values: list[Any] = []
        self.given: Any = None

    def take(self, values: Any, *more: Any, **named: Any) -> int:
        self.kind = type(values).__name__
        self.given = next(values)
        self.values = [*values]
        for other in (*more, *named.values()):
            self.values.extend(other)
        return len(self.values)


def test_methods_take_generators(server: ProxyServer, worker: Worker) -> None:
    targets: dict[str, Any] = {
        "items": [],
        "names": set(),
        "by_name": {},
        "recent": deque(maxlen=2),
        "file": io.StringIO(),
        "holder": Plain(),
    }
    code = """
items.extend(i for i in range(3))
items += (i for i in range(2))
names.update(i for i in range(3))
by_name.update((i, str(i)) for i in range(3))
recent.extend(i for i in range(3))
file.writelines(f"{i}\\n" for i in range(3))
holder.rows = (i for i in range(3))
result = names.isdisjoint(i for i in range(3, 5)), recent.count(2)
"""
    proxies = {name: server.create_proxy(value) for name, value in targets.items()}
    assert worker.exec(code, **proxies) == (True, 1)

    assert targets["items"] == [0, 1, 2, 0, 1]
    assert targets["names"] == {0, 1, 2}
    assert targets["by_name"] == {0: "0", 1: "1", 2: "2"}
    assert list(targets["recent"]) == [1, 2]
    assert targets["file"].getvalue() == "0\n1\n2\n"
    assert list(targets["holder"].rows) == [0, 1, 2]


def test_a_database_takes_rows_of_a_generator(
    server: ProxyServer, worker: Worker
) -> None:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    code = """
p.execute("create table t (n, text)")
p.executemany("insert into t values (?, ?)", ((n, f"row {n}") for n in range(2500)))
result = p.execute("select count(*), sum(n), max(text) from t").fetchone()
"""
    try:
        found = worker.exec(code, p=server.create_proxy(connection))
    finally:
        connection.close()

    assert found == (2500, sum(range(2500)), "row 999")


def test_a_generator_arrives_as_an_iterator(
    server: ProxyServer, worker: Worker
) -> None:
    taker = Taker()
    code = "p.take((n for n in range(3)), (n for n in 'ab'), rest=(n for n in 'c'))"

    assert worker.eval(code, p=server.create_proxy(taker)) == 5
    assert (taker.kind, taker.given) == ("list_iterator", 0)
    assert taker.values == [1, 2, "a", "b", "c"]


VALUES = (
    *(
        "map(lambda n: n + 1, (n for n in range(3)))",
        "zip('abc', (n for n in range(3)))",
    ),
    *("enumerate(n for n in 'abc')", "filter(None, (n for n in range(3)))"),
    *("itertools.chain([1], (n for n in range(3)))", "iter([1, 2, 3])"),
    *(
        "itertools.islice(itertools.count(5), 3)",
        "map(str, [1, 2, 3])",
        "reversed([1, 2])",
    ),
    *("(x for x in [None, 2**70, -5, 1.5, b'b', '\\ud800', (1, (2, [3]))])",),
    *("map(threading.Lock().acquire, [False, False])", "iter({'a': 1}.items())"),
    *("([n, {n: {n}}] for n in range(3))", "(np.float64(n) for n in range(3))"),
    *("iter(range(3))", "(n for n in ())", "(n for n in range(4000))"),
)


@pytest.mark.parametrize("source", VALUES)
def test_an_iterator_gives_what_it_gives_in_one_process(
    server: ProxyServer, worker: Worker, source: str
) -> None:
    kept: list[Any] = []
    worker.exec(f"p.extend({source})", p=server.create_proxy(kept))
    names = {"it": __import__("itertools"), "np": __import__("numpy")}
    names |= {"threading": __import__("threading"), "itertools": names["it"]}
    wanted = list(eval(source, names))

    assert kept == wanted
    assert [type(item) for item in kept] == [type(item) for item in wanted]


def test_iterators_are_found_at_any_depth(server: ProxyServer, worker: Worker) -> None:
    tally = Tally()
    kept: list[Any] = []
    code = """
p.append({"k": [(n for n in range(3)), (lambda x: x + 1)]})
p.extend((k, group) for k, group in itertools.groupby("aab"))
p.extend(q for _ in range(2))
g = (n for n in range(3))
p.append([g, g])
p.extend(iter(p))
"""
    names = {"p": server.create_proxy(kept), "q": server.create_proxy(tally)}
    worker.exec(code, **names)

    numbers, function = kept[0]["k"]
    assert (list(numbers), function(1)) == ([0, 1, 2], 2)
    assert [(k, "".join(group)) for k, group in kept[1:3]] == [("a", "aa"), ("b", "b")]
    assert kept[3] is kept[4] is tally
    assert kept[5][0] is kept[5][1]
    assert list(kept[5][0]) == [0, 1, 2]


def test_an_item_is_what_it_was_when_it_was_given(
    server: ProxyServer, worker: Worker
) -> None:
    kept: list[Any] = []
    code = """
def rows():
    row, many = [0], np.zeros(3)
    for n in range(3):
        row[0] = many[0] = n
        yield row
        yield many
p.extend(rows())
"""
    worker.exec(code, p=server.create_proxy(kept))

    assert kept[::2] == [[0], [1], [2]]
    assert [float(many[0]) for many in kept[1::2]] == [0, 1, 2]
    kept[1][0] = 5


def test_what_a_generator_raises_is_raised_and_nothing_is_sent(
    server: ProxyServer, worker: Worker
) -> None:
    kept: list[Any] = []
    code = """
def broken():
    yield 1
    raise kind("no more")
result = []
for kind in (KeyError, ProxyError, StopAsyncIteration, KeyboardInterrupt):
    for way in (lambda: p.extend(broken()), lambda: p.append([lambda: 1, broken()])):
        try:
            way()
        except BaseException as error:
            result.append((type(error) is kind, error.args, error.__context__))
"""
    found = worker.exec(code, p=server.create_proxy(kept))

    assert found == [(True, ("no more",), None)] * 8
    assert kept == []


@pytest.mark.parametrize(
    "items",
    [
        *(
            "itertools.count()",
            "itertools.repeat('x' * 50)",
            "itertools.repeat((1, 'a'))",
        ),
        *("([n] for n in itertools.count())", "itertools.repeat(bytes(10**6))"),
    ],
)
def test_an_endless_iterator_is_refused_at_the_limit(
    worker: Worker, items: str
) -> None:
    kept: list[Any] = []
    with ProxyServer(max_message=300_000) as server:
        proxy = server.create_proxy(kept)
        with pytest.raises(DataTooBigError, match=r"300,000 bytes.*max_message"):
            worker.eval(f"p.extend(n for n in {items})", p=proxy)
        assert kept == []
        assert worker.eval("p.extend(n for n in range(2000))", p=proxy) is None
    assert kept == list(range(2000))


def test_an_item_that_cannot_be_pickled_is_refused(
    server: ProxyServer, worker: Worker
) -> None:
    kept: list[Any] = []
    proxy = server.create_proxy(kept)
    with pytest.raises(DataEncodeError, match="lock"):
        worker.eval("p.extend(threading.Lock() for _ in range(3))", p=proxy)

    assert worker.eval("p.extend(n for n in range(2))", p=proxy) is None
    assert kept == [0, 1]


def test_files_are_read_or_refused(
    server: ProxyServer, worker: Worker, tmp_path: Path
) -> None:
    path = tmp_path / "lines"
    path.write_text("one\ntwo\n")
    kept: list[Any] = []
    proxy = server.create_proxy(kept)
    code = """
with open(path) as text, open(path, "rb") as data:
    p.extend(text)
    p.extend(data)
"""
    worker.exec(code, p=proxy, path=str(path))
    assert kept == ["one\n", "two\n", b"one\n", b"two\n"]

    with pytest.raises(DataEncodeError, match=r"not opened for reading|cannot pickle"):
        worker.exec("with open(path, 'ab') as f: p.append(f)", p=proxy, path=str(path))


def test_what_a_method_changes_in_an_argument_is_got_back_otherwise(
    server: ProxyServer, worker: Worker
) -> None:
    shared = np.arange(100)
    names = {
        "rng": server.create_proxy(np.random.default_rng(1)),
        "file": server.create_proxy(io.BytesIO(b"some bytes" * 2)),
        "x": server.create_proxy(shared),
    }
    code = """
mine, buffer = np.arange(100), bytearray(10)
rng.shuffle(mine), file.readinto(buffer)
lost = mine.tolist() == list(range(100)) and not any(buffer)
mine = rng.permutation(mine)
data = file.read(len(buffer))
buffer[: len(data)] = data
rng.shuffle(x)
result = lost, sorted(mine), mine.tolist() != sorted(mine), bytes(buffer)
"""
    found = worker.exec(code, **names)

    assert found == (True, list(range(100)), True, b"some bytes")
    assert shared.tolist() != sorted(shared)
