"""
What is read-only stays as it is, and the line in the error opens what was refused.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from duck_jupyter.errors import AccessDenied

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


class Registry:
    """
    An object of the user's that hands out what it has.
    """

    def __init__(self) -> None:
        self.rows = [3, 1, 2]
        self.unfinished = (number for number in [1, 2])

    def reset(self) -> None:
        self.rows.clear()

    @property
    def clear(self) -> Any:
        return self.rows.clear


def a_frame() -> Any:
    return pd.DataFrame({"x": [3, 2, 1], "y": [1.0, None, 3.0]})


FRAME_CHANGES = [
    *("p.pop('x')", "p.insert(0, 'n', 1)", "p.update(q)", "p.__setitem__('x', 1)"),
    *("p.drop(columns='x', inplace=True)", "p.sort_values('x', inplace=True)"),
    *("p.rename(columns={'x': 'z'}, inplace=True)", "p.fillna(0, inplace=True)"),
    *("p.eval('x = 1', inplace=True)", "p.query('x > 1', inplace=True)"),
    *("p.loc.__setitem__((0, 'x'), 9)", "p.iloc.__setitem__((0, 0), 9)"),
    *("p.at.__setitem__((0, 'x'), 9)", "p['x'].pop(0)", "p.T.pop(0)"),
    *("p['x'].replace(3, 9, inplace=True)", "p['x'].__iadd__(1)", "del p['x']"),
    *("setattr(p, 'columns', ['a', 'b'])", "setattr(p.index, 'name', 'i')"),
    *("ref(p).pop('x')", "ref(p).drop(columns='x', inplace=True)", "p.__iadd__(1)"),
]
ARRAY_CHANGES = [
    *("p.sort()", "p.fill(9)", "p.put(0, 9)", "p.partition(1)", "p.resize(4)"),
    *("p.setflags(write=True)", "p.byteswap(inplace=True)", "p.T.sort()"),
    *("p[1:].fill(9)", "p.reshape(-1).put(0, 9)", "p.flat.__setitem__(0, 9)"),
    *("p.view().setflags(write=True)", "p.base.sort()", "p.__iadd__(1)"),
    *("setattr(p, 'shape', (1, 3))", "setattr(p.flags, 'writeable', True)"),
    *("ref(p).sort()", "p.__setitem__(0, 9)"),
]


@pytest.mark.parametrize("code", FRAME_CHANGES)
def test_a_read_only_frame_is_not_changed(
    server: ProxyServer, worker: Worker, code: str
) -> None:
    target = a_frame()
    proxy = server.create_proxy(target, name="df", readonly=True)
    other = a_frame() * 2

    with pytest.raises(AccessDenied, match=r"--readonly --allow "):
        worker.exec(code, p=proxy, q=other)

    pd.testing.assert_frame_equal(target, a_frame())
    assert target.index.name is None


@pytest.mark.parametrize("code", ARRAY_CHANGES)
def test_a_read_only_array_is_not_changed(
    server: ProxyServer, worker: Worker, code: str
) -> None:
    target = np.array([3, 1, 2])
    proxy = server.create_proxy(target, readonly=True)

    with pytest.raises((AccessDenied, AttributeError)):
        worker.exec(code, p=proxy)

    assert target.tolist() == [3, 1, 2]
    assert target.flags.writeable


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("p.insert_column(0, q)", pl.DataFrame({"x": [3, 1]})),
        ("p.drop_in_place('x')", pl.DataFrame({"x": [3, 1]})),
        ("p.hstack([q], in_place=True)", pl.DataFrame({"x": [3, 1]})),
        ("p['x'].sort(in_place=True)", pl.DataFrame({"x": [3, 1]})),
        ("p.append(q)", pl.Series("x", [3, 1])),
        ("p.scatter(0, 9)", pl.Series("x", [3, 1])),
    ],
)
def test_a_read_only_frame_of_polars_is_not_changed(
    server: ProxyServer, worker: Worker, code: str, target: Any
) -> None:
    before = target.clone()
    proxy = server.create_proxy(target, readonly=True)

    with pytest.raises(AccessDenied, match="read-only"):
        worker.exec(code, p=proxy, q=pl.Series("n", [7, 8]))

    assert target.equals(before)


def test_in_place_may_be_said_without_its_name(
    server: ProxyServer, worker: Worker
) -> None:
    target = a_frame()
    proxy = server.create_proxy(target, readonly=True)
    # From pandas 3.1 on it has to be named.
    with pytest.raises((AccessDenied, TypeError)):
        worker.exec("p.eval('x = 1', True)", p=proxy)
    with pytest.raises(AccessDenied, match="in place"):
        worker.exec("p.eval('x = 1', inplace=1)", p=proxy)
    pd.testing.assert_frame_equal(target, a_frame())


def test_frames_and_arrays_are_read(server: ProxyServer, worker: Worker) -> None:
    frame = server.create_proxy(a_frame(), readonly=True)
    code = "[p.shape, p['x'].sum(), p.loc[0, 'x'], p.groupby('x').y.count().sum()]"
    assert worker.eval(code, p=frame) == [(3, 2), 6, 3, 2]
    assert worker.eval("p.x.rolling(2).sum().max()", p=frame) == 5
    assert worker.eval("[k for k, _ in p.groupby('x')]", p=frame) == [1, 2, 3]
    assert worker.eval("[row[1] for row in p.itertuples()]", p=frame) == [3, 2, 1]
    assert worker.eval("[i for i, _ in p.iterrows()]", p=frame) == [0, 1, 2]
    array = server.create_proxy(np.array([3, 1, 2]), readonly=True)
    code = "[p.max(), p[1], (p + 1).sum(), p.T.tolist(), p.argsort()[0], 3 in p]"
    assert worker.eval(code, p=array) == [3, 1, 9, [3, 1, 2], 1, True]
    table = server.create_proxy(pa.table({"x": [1, 2]}), readonly=True)
    assert worker.eval("p.select(['x']).to_pydict()", p=table) == {"x": [1, 2]}
    fast = server.create_proxy(pl.DataFrame({"x": [1, 2]}), readonly=True)
    assert worker.eval("[*p.iter_rows()], p['x'].sum()", p=fast) == ([(1,), (2,)], 3)


def test_what_an_array_gives_cannot_be_written_to(
    server: ProxyServer, worker: Worker
) -> None:
    target = np.array([3, 1, 2])
    proxy = server.create_proxy(target, readonly=True)
    for code in ("p.clip(0, 1, out=p)", "p.cumsum(0, None, p)"):
        with pytest.raises(ValueError, match="read-only"):
            worker.exec(code, p=proxy)
    for code in ("p.T[0] = 9", "p[1:][0] = 9", "p.flat[0] = 9"):
        with pytest.raises(ValueError, match="read-only"):
            exec(code, {"p": proxy})
    assert target.tolist() == [3, 1, 2]


def test_a_function_that_is_given_to_a_frame_changes_a_copy(
    server: ProxyServer, worker: Worker
) -> None:
    target = a_frame()
    proxy = server.create_proxy(target, readonly=True)

    worker.exec("p.pipe(lambda df: df.insert(0, 'n', 1))", p=proxy)
    worker.exec("p.pipe(lambda df: df.pop('x'))", p=proxy)

    pd.testing.assert_frame_equal(target, a_frame())


def test_in_the_notebook_what_writes_to_a_frame_is_refused_too(
    server: ProxyServer,
) -> None:
    target = a_frame()
    proxy: Any = server.create_proxy(target, readonly=True)
    with pytest.raises(AccessDenied):
        proxy.loc[0, "x"] = 9
    with pytest.raises(AccessDenied):
        proxy.iat[0, 0] = 9
    assert proxy.loc[0, "x"] == 3
    pd.testing.assert_frame_equal(target, a_frame())


def test_a_missing_key_of_a_defaultdict_is_refused(
    server: ProxyServer, worker: Worker
) -> None:
    target = defaultdict(list, {"k": [1]})
    proxy = server.create_proxy(target, name="groups", readonly=True)

    assert worker.eval("p['k'], p.get('z'), 'z' in p", p=proxy) == ([1], None, False)
    with pytest.raises(AccessDenied, match="--readonly --allow __getitem__"):
        worker.eval("p['z']", p=proxy)
    with pytest.raises(AccessDenied):
        worker.eval("ref(p)['z']", p=proxy)
    assert dict(target) == {"k": [1]}


def test_an_iterator_is_read_by_whom_it_was_made_for(
    server: ProxyServer, worker: Worker
) -> None:
    held = Registry()
    for proxy, code in (
        (server.create_proxy(held, readonly=True), "next(p.unfinished)"),
        (server.create_proxy(iter([1, 2]), readonly=True), "list(p)"),
        (server.create_proxy([iter([1, 2])], readonly=True), "next(p[0])"),
    ):
        with pytest.raises(AccessDenied, match="read-only"):
            worker.eval(code, p=proxy)
    assert list(held.unfinished) == [1, 2]


def test_methods_that_are_read_as_attributes_are_refused_as_well(
    server: ProxyServer, worker: Worker
) -> None:
    target = Registry()
    proxy: Any = server.create_proxy(target, name="registry", readonly=True)
    for code in ("p.clear()", "ref(p).clear()", "p.reset()", "p.rows and p.clear()"):
        with pytest.raises(AccessDenied, match="--readonly --allow"):
            worker.exec(code, p=proxy)
    with pytest.raises(AccessDenied):
        proxy.clear()
    with pytest.raises(AccessDenied):
        worker.exec(
            "list(map(q, [p.append]))", p=server.create_proxy([]), q=proxy.reset
        )
    with pytest.raises(AccessDenied):
        worker.exec("ref(p).rows.append(1)", p=proxy)
    assert worker.eval("ref(p).rows.index(1)", p=proxy) == 1
    assert target.rows == [3, 1, 2]


def test_a_value_of_what_is_read_only_is_a_copy(
    server: ProxyServer, worker: Worker
) -> None:
    target = {"k": [1, [2]]}
    proxy = server.create_proxy(target, readonly=True)
    code = "rows = p['k']; rows.append(3); result = rows"
    assert worker.exec(code, p=proxy) == [1, [2], 3]
    assert target == {"k": [1, [2]]}


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize(
    ("target", "refused", "works"),
    [
        ({"k": 1}, "p.update(k=2)", "p.get('k')"),
        ({"k": 1}, "p.__setitem__('k', 2)", "p['k']"),
        (defaultdict(int, k=1), "p['z']", "p['k']"),
        ([3, 1, 2], "p.sort()", "p[0]"),
        (np.array([3, 1, 2]), "p.sort()", "p.max()"),
        (np.array([3, 1, 2]), "p[1:].fill(9)", "p.max()"),
        (np.array([3, 1, 2]), "p[1:].__setitem__(0, 9)", "p.max()"),
        (a_frame(), "p.pop('x')", "p['y'].sum()"),
        (a_frame(), "p.drop(columns='x', inplace=True)", "p['y'].sum()"),
        (a_frame(), "p.loc.__setitem__((0, 'x'), 9)", "p['y'].sum()"),
        (pl.DataFrame({"x": [1], "y": [2]}), "p.drop_in_place('x')", "p['y'].sum()"),
        (Registry(), "p.reset()", "p.rows"),
        (Registry(), "ref(p).rows.append(1)", "p.rows"),
        (Registry(), "setattr(p, 'rows', [])", "p.rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_line_in_the_error_opens_that_and_leaves_the_rest(
    server: ProxyServer, worker: Worker, target: Any, refused: str, works: str
) -> None:
    before = repr(vars(target) if isinstance(target, Registry) else target)
    proxy = server.create_proxy(target, name="shared_one", readonly=True)
    with pytest.raises(AccessDenied) as caught:
        worker.exec(refused, p=proxy)

    line = caught.value.opened_by
    head, _, names = line.partition(" --allow ")
    assert head == "%share shared_one --readonly"
    assert line in str(caught.value)
    opened = server.create_proxy(
        target, name="shared_one", readonly=True, allow=names.split(",")
    )
    worker.exec(refused, p=opened)
    worker.eval(works, p=opened)
    with pytest.raises(AccessDenied, match=names):
        worker.exec("p.another = 1", p=opened)
    assert repr(vars(target) if isinstance(target, Registry) else target) != before


def test_what_is_allowed_leads_out_of_a_block_as_well(
    server: ProxyServer, worker: Worker
) -> None:
    lock = threading.Lock()
    proxy = server.create_proxy(lock, name="lock", readonly=True)
    with pytest.raises(AccessDenied, match="--readonly --allow __enter__;"):
        worker.exec("with p: pass", p=proxy)
    opened = server.create_proxy(lock, readonly=True, allow=["__enter__"])
    worker.exec("with p: pass", p=opened)
    assert not lock.locked()


def test_what_is_allowed_to_start_a_loop_takes_the_items(
    server: ProxyServer, worker: Worker
) -> None:
    target = (number for number in [1, 2])
    proxy = server.create_proxy(target, name="numbers", readonly=True)
    with pytest.raises(AccessDenied, match="--readonly --allow __iter__;"):
        worker.eval("list(p)", p=proxy)
    opened = server.create_proxy(target, readonly=True, allow=["__iter__"])
    assert worker.eval("list(p)", p=opened) == [1, 2]


def test_what_is_read_only_is_fetched_whatever_is_allowed(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(np.zeros(9_999), readonly=True, allow=["sort"])
    code = "a = fetch(p); a[0] = 1; result = a.sum()"
    assert worker.exec(code, p=proxy) == 1
    code = "import numpy; a = numpy.asarray(p); a[0] = 1; result = a.sum()"
    assert worker.exec(code, p=proxy) == 1
