"""
A statement of a worker that changes a copy and drops it is refused before anything is.
"""

from __future__ import annotations

import linecache
import queue
import re
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from duck_jupyter.errors import LostChange
from tests.support.objects import Plain, Tally
from tests.support.workers import names_for

if TYPE_CHECKING:
    from duck_jupyter.proxy import Proxy, ProxyServer
    from tests.support.workers import Worker

#: What is refused, and what to write instead.
CHANGES = [
    ("d['a'].append(1)", "ref(d)['a'].append(1)"),
    ("d['a'][0] = 7", "ref(d)['a'][0] = 7"),
    ("d['a'][0:1] = [7, 8]", "ref(d)['a'][0:1] = [7, 8]"),
    ("d['a'][0] += 1", "ref(d)['a'][0] += 1"),
    ("d['a'] [ 0 ] , x = 7, 8", "ref(d)['a'] [ 0 ] , x = 7, 8"),
    ("del d['a'][0]", "del ref(d)['a'][0]"),
    (
        "o.rows[0], o.rows[1] = o.rows[1], o.rows[0]",
        "ref(o).rows[0], ref(o).rows[1] = o.rows[1], o.rows[0]",
    ),
    ("del d['n']['m'], d['a'][0]", "del ref(d)['n']['m'], ref(d)['a'][0]"),
    (
        "d['n']['m']['k'] = d['a'][0] = d['z'] = 7",
        "ref(ref(d)['n'])['m']['k'] = ref(d)['a'][0] = d['z'] = 7",
    ),
    ("d['n']['m']['x'] = 1", "ref(ref(d)['n'])['m']['x'] = 1"),
    ("d['n'][\n    'm']['x'] = 1", "ref(ref(d)['n'])[\n    'm']['x'] = 1"),
    ("d.get('a').append(1)", "ref(d).get('a').append(1)"),
    ("d['n'].get('m').clear()", "ref(ref(d)['n']).get('m').clear()"),
    ("d.setdefault('k', []).append(1)", "ref(d).setdefault('k', []).append(1)"),
    ("d.setdefault('a', []).append(1)", "ref(d).setdefault('a', []).append(1)"),
    (
        "d.setdefault('k', {}).setdefault('é', []).append(1)",
        "ref(ref(d).setdefault('k', {})).setdefault('é', []).append(1)",
    ),
    ("d['n'].setdefault('k', 1)", "ref(d)['n'].setdefault('k', 1)"),
    ("d['pair'].update({'é': 1})", "ref(d)['pair'].update({'é': 1})"),
    ("dd['new'].append(1)", "ref(dd)['new'].append(1)"),
    ("dd['old'].append(1)", "ref(dd)['old'].append(1)"),
    ("o.rows.sort()", "ref(o).rows.sort()"),
    ("o.rows[1].append(1)", "ref(ref(o).rows)[1].append(1)"),
    ("o.rows[i][j] = 7", "ref(ref(o).rows)[i][j] = 7"),
    ("o.rows.sort(reverse=i)", "ref(o).rows.sort(reverse=i)"),
    ("o.rows.pop()", "ref(o).rows.pop()"),
    ("o.tags.add(5)", "ref(o).tags.add(5)"),
    ("o.data.extend(b'xyz')", "ref(o).data.extend(b'xyz')"),
    ("x = [o.tags.add(5) for _ in 'ab']", "ref(o).tags.add(5)"),
    ("(lambda: o.tags.add(5))()", "ref(o).tags.add(5)"),
    ("1; (o).rows.clear()", "(ref(o)).rows.clear()"),
    ("if j: pass\nelse: o.rows.clear()", "ref(o).rows.clear()"),
]
#: What changes a copy that lives on, or no copy at all.
FINE = [
    "x = d['a']; x.append(1)",
    "x = d['a'].pop()",
    "for row in o.rows: row.append(1)",
    "d['a'] += [1]",
    "o.rows += [[3]]",
    "o.number += 1",
    "d['a'] = d['a'] + [1]",
    "d['k'] = 1",
    "d.setdefault('k', [])",
    "d.update(k=1)",
    "d.pop('a').append(1)",
    "d.copy()['x'] = 1",
    "sorted(o.rows).append(1)",
    "list(map(d.get, ['a'])).append(1)",
    "getattr(o, 'rows')",
    "o.queue.append(1)",
    "d['n']['queue'].append(1)",
    "d.setdefault('q', ref(d)['n'])['queue'].append(1)",
    "d.get('absent', []) or x",
    "dq['new'].append(1)",
    "ref(d)['a'].append(1)",
    "ref(o).rows[0].count(1)",
    "ref(d).get('n')",
]


def make() -> dict[str, Any]:
    """
    Make objects to share.
    """
    nested = {"m": {"x": 0}, "queue": deque([0]), 1: [1]}
    return {
        "d": {"a": [1, 2], "n": nested, "pair": {}},
        "dd": defaultdict(list, old=[1]),
        "dq": defaultdict(deque),
        "o": Plain(
            rows=[[1], [2], [0]],
            tags={1, 2},
            data=bytearray(b"ab"),
            number=1,
            queue=deque(),
        ),
    }


def state_of(objects: dict[str, Any]) -> Any:
    return {**objects, "o": vars(objects["o"])}


def run(code: str, name: str, names: dict[str, Any]) -> None:
    """
    Run code as a notebook does, which leaves its source where tracebacks find it.
    """
    if name:
        lines = code.splitlines(keepends=True)
        linecache.cache[name] = len(code), None, lines, name
    exec(
        compile(code, name or "<nowhere>", "exec"), {**names_for(names), "i": 1, "j": 0}
    )


@pytest.fixture
def objects() -> dict[str, Any]:
    return make()


@pytest.fixture
def proxies(server: ProxyServer, objects: dict[str, Any]) -> dict[str, Proxy]:
    return {name: server.create_proxy(value) for name, value in objects.items()}


@pytest.mark.parametrize(("statement", "instead"), CHANGES)
def test_a_change_that_would_be_lost_is_refused_and_the_advice_works(
    statement: str,
    instead: str,
    objects: dict[str, Any],
    proxies: dict[str, Proxy],
    worker: Worker,
) -> None:
    with pytest.raises(LostChange) as caught:
        worker.run(run, statement, f"<cell of {statement}>", proxies)

    assert state_of(objects) == state_of(make())
    quoted, advised = re.findall(r"`(.*?)`", str(caught.value), re.DOTALL)[:2]
    assert quoted in statement
    assert advised == instead
    local = make()
    run(quoted, "", local)
    worker.run(run, advised, "", proxies)
    assert state_of(objects) == state_of(local) != state_of(make())


@pytest.mark.parametrize("statement", [statement for statement, _ in CHANGES])
def test_no_source_is_needed(
    statement: str, objects: dict[str, Any], proxies: dict[str, Proxy], worker: Worker
) -> None:
    with pytest.raises(LostChange, match=r"line \d+ of <nowhere>") as caught:
        worker.run(run, statement, "", proxies)

    assert "Write `ref(" in str(caught.value)
    assert state_of(objects) == state_of(make())


@pytest.mark.parametrize("statement", FINE)
def test_nothing_else_is_refused(
    statement: str, proxies: dict[str, Proxy], worker: Worker
) -> None:
    worker.run(run, statement, "", {**proxies, "x": 1})


@pytest.mark.parametrize("statement", [statement for statement, _ in CHANGES])
def test_in_the_kernel_nothing_is_lost(
    statement: str, objects: dict[str, Any], proxies: dict[str, Proxy]
) -> None:
    local = make()
    run(statement, "", local)
    run(statement, "", proxies)

    assert state_of(objects) == state_of(local) != state_of(make())


def test_an_attribute_of_a_frame_is_looked_at_too(
    server: ProxyServer, worker: Worker
) -> None:
    frame = pd.DataFrame({"a": [1]})
    proxy = server.create_proxy(frame)
    with pytest.raises(LostChange, match=r"`ref\(p\)\.attrs\['unit'\] = 'm'`"):
        worker.run(run, "p.attrs['unit'] = 'm'", "<cell of a frame>", {"p": proxy})

    worker.exec("ref(p).attrs['unit'] = 'm'", p=proxy)
    assert frame.attrs == {"unit": "m"}


def test_what_a_method_gave_is_refused_when_it_has_run(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally())
    with pytest.raises(LostChange, match=r"echo\(\) itself has run"):
        worker.exec("p.echo([1]).append(2)", p=proxy)


def test_a_queue_gives_what_was_taken_from_it(
    server: ProxyServer, worker: Worker
) -> None:
    jobs: queue.Queue[Any] = queue.Queue()
    jobs.put([1])
    worker.exec("q.get().append(2)", q=server.create_proxy(jobs))

    assert jobs.empty()


def test_where_get_is_not_open_the_default_is_refused_afterwards(
    server: ProxyServer, worker: Worker
) -> None:
    target: dict[str, Any] = {}
    proxy = server.create_proxy(target, allow=["setdefault"])
    with pytest.raises(LostChange):
        worker.exec("p.setdefault('k', []).append(1)", p=proxy)

    assert target == {"k": []}
