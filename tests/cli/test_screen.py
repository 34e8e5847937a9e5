"""
What a terminal shows of a snapshot.
"""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from rich.console import Console

from duck_jupyter.cli.rates import Window
from duck_jupyter.cli.screen import MOST_ENDED, MOST_ERRORS, MOST_OBJECTS, screen_of
from duck_jupyter.session.snapshot import Cell, Snapshot
from duck_jupyter.stats.rows import MemoryRow, Totals
from tests.support.snapshots import golden

change = msgspec.structs.replace
NOTHING: dict[str, list[Any]] = {
    "objects": [],
    "workers": [],
    "ended": [],
    "errors": [],
    "chains": [],
}


def shown(snapshot: Snapshot, width: int = 200, *before: Snapshot) -> str:
    """
    Draw a snapshot as plain text.
    """
    window = Window(10.0)
    for one in (*before, snapshot):
        window.add(one)
    console = Console(
        file=io.StringIO(), width=width, markup=False, highlight=False, no_color=True
    )
    with console.capture() as capture:
        console.print(screen_of(snapshot, window))
    return capture.get()


def line_of(text: str, begin: str) -> str:
    """
    Give the one line that begins so.
    """
    (line,) = [line for line in text.splitlines() if line.startswith(begin)]
    return line


def test_the_state_is_in_words() -> None:
    first = shown(golden()).splitlines()[0]
    assert first == (
        "Serving 4 objects to 2 workers  kernel busy, up to +9 ms a call  cell [7] runs"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.631e-4, "260 µs"), (1.2e-5, "12 µs"), (0.3811, "380 ms"), (125.0, "120 s")],
)
def test_a_time_has_two_digits_and_no_exponent(seconds: float, text: str) -> None:
    snapshot = change(golden(), busy_delay=seconds)
    assert f"kernel busy, up to +{text} a call" in shown(snapshot)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("empty", "Ready, nothing shared yet. In the notebook: %share NAME"),
        (
            "stopped",
            "No server runs and nothing is shared. In the notebook: %share NAME",
        ),
    ],
)
def test_an_empty_state_says_what_to_type(state: str, words: str) -> None:
    empty = change(
        golden(),
        state=state,
        totals=Totals(),
        busy_delay=None,
        cell=Cell(running=False, number=None),
        memory=MemoryRow(None, None, 0, 0, "/tmp", None),
        **NOTHING,
    )
    lines = shown(empty).splitlines()
    assert lines[0] == words
    assert lines[1].startswith("0 calls/s")
    assert lines[-1] == "Shared memory: 0 B held"


def test_an_object_has_a_row_with_its_fill() -> None:
    df = line_of(shown(golden()), "df")
    assert df.split()[:3] == ["df", "DataFrame", "336,776"]
    assert "9,917" in df
    assert "██████░░ 75%, peak 94% of 64.0 KB" in df
    assert "2 in 8.00 MB" in df


def test_a_frame_above_the_buffer_fills_the_bar_and_no_more() -> None:
    cache = line_of(shown(golden()), "cache")
    assert "peak 137% of 512 B" in cache
    row = change(golden().objects[0], last=10**9)
    text = shown(change(golden(), objects=[row]))
    assert "████████ " in text
    assert "█████████" not in text


def test_a_chained_object_stands_below_its_parent() -> None:
    lines = shown(golden()).splitlines()
    rows = [line for line in lines if line.startswith(("root ", "  root.next"))]
    assert [row.split()[0] for row in rows] == ["root", "root.next"]


def test_an_object_whose_parent_went_is_shown_all_the_same() -> None:
    rows = [row for row in golden().objects if row.path != "root"]
    assert line_of(shown(change(golden(), objects=rows)), "root.next")


def test_a_cut_chain_is_marked() -> None:
    cut = line_of(shown(golden()), "✂ root.next.next")
    assert "LimitedProxyChaining: the limit is 2" in cut


def test_workers_alive_and_ended_are_told_apart() -> None:
    text = shown(golden())
    assert "df, the server" in line_of(text, "4101")
    assert "70.0 MB" in line_of(text, "4101")
    assert "ended" in line_of(text, "4103")
    assert "killed by SIGKILL" in line_of(text, "4104")


def test_waiting_and_rates_are_those_of_the_window() -> None:
    first = golden()
    worker = change(first.workers[0], waited=first.workers[0].waited + 2)
    second = change(
        first,
        time=first.time + 2,
        workers=[worker],
        totals=change(first.totals, gets=first.totals.gets + 3_000),
    )
    text = shown(second, 200, first)
    assert "50%" in line_of(text, "4101")
    assert line_of(text, "1.5k calls/s")


def test_errors_are_shown_with_what_to_do() -> None:
    text = shown(golden())
    assert "KeyError ×15: 'lost'" in text  # noqa: RUF001 - times
    assert "%share root --max-chain 3" in text


def test_of_many_errors_the_newest_are_shown() -> None:
    errors = golden().errors or []
    text = shown(change(golden(), errors=errors * 10))
    assert f"and {20 - MOST_ERRORS} more" in text


def test_what_was_spooled_is_said() -> None:
    assert line_of(shown(golden()), "Shared memory") == (
        "Shared memory: 9.00 MB held, 48.0 MB of 64.0 MB free; 8.00 MB spooled to "
        "/var/tmp/duck"
    )


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    row = change(golden().objects[0], path="[red]x[/]", type="[/bold]")
    chain = change((golden().chains or [])[0], type="[/i]")
    text = shown(change(golden(), objects=[row], chains=[chain]))
    assert "[red]x[/] " in text
    assert "[/i]" in text


@pytest.mark.parametrize("width", [40, 80, 300])
def test_it_can_be_drawn_at_any_width(width: int) -> None:
    assert max(map(len, shown(golden(), width).splitlines())) <= width


def test_of_many_objects_the_busiest_are_shown_in_their_order() -> None:
    """
    To draw a thousand would take longer than to the next look.
    """
    row = golden().objects[0]
    rows = [change(row, idx=i, path=f"object_{i}") for i in range(1000)]
    before = change(golden(), objects=rows)
    after = list(rows)
    for i in (700, 500):
        after[i] = change(row, idx=i, path=f"object_{i}", gets=row.gets + i)
    text = shown(change(before, time=before.time + 1, objects=after), 200, before)
    assert text.count("object_") == MOST_OBJECTS
    assert text.index("object_500 ") < text.index("object_700 ")
    assert f"and {1000 - MOST_OBJECTS} more" in text


def test_of_many_workers_that_ended_the_last_are_shown() -> None:
    end = golden().ended[0]
    ended = [change(end, pid=9000 + i) for i in range(100)]
    lines = shown(change(golden(), ended=ended)).splitlines()
    found = [line.split()[0] for line in lines if line.startswith("90")]
    assert found == [str(9099 - i) for i in range(MOST_ENDED)]
