"""
One number in all places: the widget, Python, ``%share`` and the terminal at one moment.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from duck_jupyter.stats.text import UNKNOWN, in_bytes, percent, total
from tests.monitor.test_widget import Widget
from tests.support.processes import wait_until
from tests.support.traffic import begin, go_on, let_go

from .commands import duck

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.monitor.fronts import Front
    from tests.support.workers import Worker

pytestmark = pytest.mark.slow

#: Something of each kind that is counted: chained objects, items, versions.
SHARED = """
import numpy as np

class Model:
    depth = 1

    @property
    def deeper(self):
        return Model()

model, items, grid = Model(), list(range(100_000)), np.zeros(300_000)
%share model --max-chain 2
%share items grid
"""
HAND_OVER = """
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(1) as pool:
    list(pool.map(len, [grid] * 3))
"""
DATA = "[__import__('pickle').dumps(shared[name]).hex() for name in NAMES]"
NAMES = ["config", "model", "items", "grid"]
TABLE = "repr(get_ipython().run_line_magic('share', ''))"
STATISTICS = (
    "__import__('msgspec').to_builtins(__import__('duck_jupyter').statistics())"
)
#: What goes on without any call, and what only some of them ask for.
MOVING = {"waited", "connected", "pss"}
SCALE = {"": 1, "k": 1e3, "M": 1e6}


class Told(NamedTuple):
    """
    What is told in all places.
    """

    widget: dict[str, Any]
    #: As the widget's: by its names.
    statistics: dict[str, Any]
    #: Rows by name, and cells by heading.
    table: dict[str, dict[str, str]]
    json: dict[str, Any]
    top: str
    listed: str


@pytest.fixture
def calls(front: Front, worker: Worker) -> Iterator[Worker]:
    """
    A worker that has called all shared objects, and holds what it was given.
    """
    front.kernel.run(SHARED)
    front.kernel.run(HAND_OVER)
    front.kernel.run(f"NAMES = {NAMES}")
    worker.run(begin, front.kernel.value(DATA))
    yield worker
    worker.run(let_go)


@pytest.fixture
def widget(front: Front) -> Iterator[Widget]:
    """
    A visible monitor.
    """
    shown = Widget(front)
    shown.say(kind="ready", view="a")
    yield shown
    shown.close()


def look(front: Front) -> dict[str, Any]:
    """
    Give the snapshot of this moment.
    """
    found: dict[str, Any] = front.ask("duck_snapshot")["snapshot"]
    return found


def whole_of(widget: Widget) -> dict[str, Any]:
    """
    Give the next whole snapshot that a widget gets, as a view that opens asks for it.
    """
    widget.say(kind="hidden", view="a")
    assert wait_until(lambda: not widget.front.is_ticking)
    widget.front.drain()
    widget.say(kind="ready", view="a")
    while not (found := widget.tick())["whole"]:
        pass
    return found


def told(front: Front, widget: Widget) -> Told:
    """
    Look in all places, one after the other.
    """
    statistics = front.kernel.value(STATISTICS)
    return Told(
        widget=whole_of(widget),
        statistics={
            **statistics,
            "objects": statistics["proxies"],
            "ended": statistics["ended_workers"],
            "errors": statistics["error_groups"],
        },
        table=rows_of(front.kernel.value(TABLE)),
        json=json.loads(duck("top", "--once", "--json").stdout),
        top=duck("top", "--once").stdout,
        listed=duck("list").stdout,
    )


def rows_of(table: str) -> dict[str, dict[str, str]]:
    """
    Take the cells out of the table of `%share`.
    """
    _, _, headings, rule, *rows = table.splitlines()
    spans = [found.span() for found in re.finditer("-+", rule)]
    names = [headings[slice(*span)].strip() for span in spans]
    cells = [
        {
            name: row[slice(*span)].strip()
            for name, span in zip(names, spans, strict=True)
        }
        for row in rows
    ]
    return {row["Name"]: row for row in cells}


def row_in(report: str, first: str) -> list[str]:
    """
    Give the cells of the first row of the terminal that begins with a word.
    """
    line, *_ = [line for line in report.splitlines() if line.split()[:1] == [first]]
    return re.split(r" {2,}", line.strip())


def handed_in(words: str) -> tuple[int, str]:
    """
    Read how often an object was handed over, and how much was not copied.
    """
    if words == UNKNOWN:
        return 0, in_bytes(0)
    found = re.fullmatch(r"(\d+) times?, (.*) not copied", words)
    assert found is not None, words
    return int(found[1]), found[2]


def is_begin(shown: str, text: str) -> bool:
    """
    Tell whether a cell shows a text, or as much of it as there is room for.
    """
    return text.startswith(shown.rstrip(".…")) and bool(shown) == bool(text)


def still(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Leave out of rows what changes by itself.
    """
    return [{k: v for k, v in row.items() if k not in MOVING} for row in rows]


def calls_of(row: Mapping[str, Any]) -> int:
    """
    Add up the calls of a row, or of all.
    """
    count: int = row["gets"] + row["sets"] + row["executes"]
    return count


def number(text: str) -> float:
    """
    Read a total that is written short.
    """
    found = re.fullmatch(r"([\d.]+)([kM]?)", text)
    assert found is not None, text
    return float(found[1]) * SCALE[found[2]]


def test_at_rest_all_places_tell_the_same(
    front: Front, calls: Worker, widget: Widget
) -> None:
    assert wait_until(lambda: look(front)["totals"] == look(front)["totals"])
    found = told(front, widget)
    now = found.widget
    for same in (found.json, found.statistics):
        for name in ("totals", "objects", "ended", "error_kinds", "chains"):
            assert same[name] == now[name], name
        assert still(same["workers"]) == still(now["workers"])
        assert same["errors"] == now["errors"]
    assert sum(n for _, n in found.statistics["errors_by_type"]) == now["error_count"]
    assert found.json["error_count"] == now["error_count"] == 4
    assert now["error_kinds"] == len(now["errors"]) == 3

    # Each call is one of an object, of its worker and of all: those of the lock, of the
    # items and of `repr` as well.
    (process,) = now["workers"]
    counted = calls_of(now["totals"])
    assert sum(map(calls_of, now["objects"])) == counted == process["calls"]
    for name in ("bytes_in", "bytes_out"):
        assert sum(row[name] for row in now["objects"]) == now["totals"][name]
        assert process[name] == now["totals"][name]
    for name in ("beside", "handovers", "handed_bytes", "versions"):
        assert sum(row[name] for row in now["objects"]) == now["totals"][name]
    assert now["totals"]["handovers"] == 4

    shared = [row for row in now["objects"] if row["parent"] is None]
    assert [row["path"] for row in shared] == NAMES
    sentence = "Serving 4 objects to 1 worker"
    assert found.top.startswith(sentence)
    assert f"{', '.join(NAMES)}; 1 worker" in found.listed
    for row in shared:
        cells, line = found.table[row["path"]], row_in(found.top, row["path"])
        assert cells["Calls"] == str(calls_of(row))
        assert cells["Bytes"] == in_bytes(row["bytes_in"] + row["bytes_out"])
        assert cells["Workers"] == str(len(row["pids"]))
        assert handed_in(cells["Handed over"]) == (
            *(row["handovers"], in_bytes(row["handed_bytes"])),
        )
        assert is_begin(cells["Last error"], row["last_error"] or "")
        fill = percent(row["last"] / row["bufsize"]) if row["peak"] else "0"
        assert cells["Buffer fill"].startswith(fill)
        assert line[4] == total(calls_of(row))
        assert line[6].endswith(percent(row["last"] / row["bufsize"]))
        assert is_begin("".join(line[8:]), row["last_error"] or "")
    assert row_in(found.top, str(calls.pid))[3] == total(process["calls"])


def test_while_calls_go_on_each_place_tells_a_number_between(
    front: Front, calls: Worker, widget: Widget
) -> None:
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(calls.run, go_on)
        try:
            begun = calls_of(look(front)["totals"])
            assert wait_until(lambda: calls_of(look(front)["totals"]) > begun)
            before = look(front)
            found = told(front, widget)
            after = look(front)
        finally:
            front.kernel.run("config['stop'] = True")
        calling.result()
    for now in (found.widget, found.statistics, found.json):
        for name in ("gets", "sets", "executes", "bytes_in", "bytes_out"):
            assert before["totals"][name] <= now["totals"][name]
            assert now["totals"][name] <= after["totals"][name]
        for path in NAMES:
            is_between(before, calls_of(row_of(now, path)), after, path)
        old, (new,), last = before["workers"][0], now["workers"], after["workers"][0]
        assert old["calls"] <= new["calls"] <= last["calls"]
        # What is told at one moment agrees: calls of chained objects that have gone
        # are in the totals alone.
        assert new["calls"] == calls_of(now["totals"])
        assert sum(map(calls_of, now["objects"])) <= new["calls"]
    # Rates are of two looks.
    rates = [found.top.splitlines()[1], row_in(found.top, "config")[3]]
    assert all(number(one.split()[0]) > 0 for one in rates)
    for path in NAMES:
        cells, line = found.table[path], row_in(found.top, path)
        is_between(before, int(cells["Calls"].replace(",", "")), after, path)
        least = calls_of(row_of(before, path))
        most = calls_of(row_of(after, path))
        assert number(total(least)) <= number(line[4]) <= number(total(most))
    line = row_in(found.top, str(calls.pid))
    least, most = (told_["workers"][0]["calls"] for told_ in (before, after))
    assert number(total(least)) <= number(line[3]) <= number(total(most))


def row_of(snapshot: dict[str, Any], path: str) -> dict[str, Any]:
    """
    Give the row of a shared object.
    """
    (row,) = [row for row in snapshot["objects"] if row["path"] == path]
    found: dict[str, Any] = row
    return found


def is_between(
    before: dict[str, Any], calls: int, after: dict[str, Any], path: str
) -> None:
    """
    Check that the calls of an object are between those of two snapshots.
    """
    assert calls_of(row_of(before, path)) <= calls <= calls_of(row_of(after, path))
