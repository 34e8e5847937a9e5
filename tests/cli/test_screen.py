"""
What a terminal shows of a snapshot.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from duck_jupyter.cli.screen import (
    KEYS,
    MOST_ENDED,
    MOST_ERRORS,
    MOST_ROWS,
    NO_KEYS,
    PAGE_KEYS,
    frame_of,
    report_of,
)
from duck_jupyter.cli.view import View
from duck_jupyter.session.snapshot import Cell, Snapshot
from duck_jupyter.stats.rows import MemoryRow, Totals
from tests.support.snapshots import golden

from .screens import SMALL, frame, line_of, shown, window_of

change = msgspec.structs.replace
NOTHING: dict[str, list[Any]] = {
    "objects": [],
    "workers": [],
    "ended": [],
    "errors": [],
    "chains": [],
}
#: What would clear a terminal and name its window, and what is shown of it.
CODE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\u202e"
SHOWN = r"\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\u202e"


def test_the_state_is_in_words() -> None:
    first = shown(golden()).splitlines()[0]
    assert first == (
        "Serving 4 objects to 3 workers  kernel busy, up to +9 ms a call  cell [7] runs"
    )


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
    assert lines[1].startswith("– calls/s")  # noqa: RUF001 - a dash
    assert lines[-1] == "Shared memory: 0 B held"
    assert frame(empty)[3].startswith("Nothing is shared.")
    assert frame(empty, "w")[3].startswith("No worker is connected")
    assert frame(empty, "e", "enter")[3] == "No error so far."


def test_a_small_screen_has_what_matters_of_an_object() -> None:
    """
    Its name, rate, waiting, fill and last error, at 80 columns and 24 lines.
    """
    before = golden()
    df, cache, *others = before.objects
    called = change(df, gets=df.gets + 2_400)
    now = change(before, time=before.time + 2, objects=[called, cache, *others])
    window = window_of(before, now)
    lines = [line.plain for line in frame_of(now, window, View(), SMALL)]
    heading = lines[3].split("  ")
    assert [one.strip() for one in heading if one.strip()] == [
        *("Object", "Calls/s", "Waiting", "Buffer fill", "Last error"),
    ]
    assert line_of(lines, "df ").split() == ["df", "1.2k", "1", "██████░░", "75", "%"]
    assert line_of(lines, "cache ").endswith("KeyError: 'lost'")


@pytest.mark.parametrize("keys", [(), ("w",), ("e",), ("enter",), ("?",)])
@pytest.mark.parametrize("size", [SMALL, (40, 10), (30, 3), (200, 60), (121, 5)])
def test_a_screen_is_filled_and_never_left(
    size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    lines = frame(golden(), *keys, size=size, title="analysis.ipynb", note="x" * 100)
    assert len(lines) == size[1]
    assert max(map(cell_len, lines)) <= size[0]


def test_the_last_line_says_which_keys_there_are() -> None:
    assert frame(golden())[-1] == KEYS
    assert frame(golden(), "?")[-1] == PAGE_KEYS
    lines = frame_of(golden(), window_of(golden()), None, SMALL)
    assert lines[-1].plain == NO_KEYS
    assert len(KEYS) <= SMALL[0]


def test_the_tabs_say_how_many_and_what_is_wrong() -> None:
    tabs = frame(golden(), title="analysis.ipynb", size=(120, 24))[2]
    assert tabs.split("  ")[0].strip() == "Objects 4 ✂ 1 cut"
    assert "Workers 3 ✕ 2 lost" in tabs
    assert "Errors 19 of 2 kinds" in tabs
    assert tabs.endswith("analysis.ipynb")


def test_kinds_of_error_that_are_not_all_listed_are_said_to_be_more() -> None:
    quiet = change(golden(), error_kinds=213, runs=[], pools=[])
    tabs = frame(quiet)[2]
    assert tabs.endswith("Errors 19 of 213 kinds, newest 2")
    assert "and 211 more rows" in shown(change(golden(), error_kinds=213))


def test_an_error_of_many_objects_names_the_last_and_counts_the_others() -> None:
    first, second = golden().errors or []
    many = change(second, object="d7", objects=1500)
    rows = frame(change(golden(), errors=[first, many]), "tab", "tab")
    assert "d7 +1,499" in line_of(rows, "×15")  # noqa: RUF001


def test_a_kernel_that_does_not_answer_is_said_above_what_is_known() -> None:
    note = (
        "The kernel analysis.ipynb does not answer: it is stopped, or in a long call."
    )
    note += " It may go on."
    lines = frame(golden(), note=note)
    assert " ".join(line.strip() for line in lines[:2]) == note
    assert line_of(lines, "df ")


def test_the_chosen_row_is_told_in_full_below_the_list() -> None:
    lines = frame(golden(), "down")
    assert lines.index("cache: dict 1,000 keys") > lines.index(
        next(line for line in lines if line.startswith("> cache"))
    )
    assert "Last error: KeyError: 'lost'" in lines
    lines = frame(golden(), "down", "enter")
    told = "Buffer fill 18 %, peak 90 % of 512 B; 3 frames larger than the buffer"
    assert told in lines


def test_a_worker_is_told_with_how_it_ended() -> None:
    lines = frame(golden(), "tab")
    assert line_of(lines, "4101").endswith("70.0 MB  df, the server")
    assert line_of(lines, "4104 ").endswith("killed by SIGKILL")
    detail = frame(golden(), "tab", *["down"] * 7)
    assert detail[-7].startswith("killed by SIGKILL")


def test_an_error_is_told_with_what_to_do_first() -> None:
    lines = frame(golden(), "e", "enter")
    assert "    %share root --max-chain 3" in lines
    assert lines.index("Allow one level more.") < lines.index(
        "    %share root --max-chain 3"
    )


def test_an_object_has_a_row_with_its_fill() -> None:
    df = line_of(shown(golden()), "df")
    assert df.split()[:3] == ["df", "DataFrame", "336,776"]
    assert "9.92k" in df
    assert "██████░░ 75 %" in df
    assert "2 in 8.00 MB" in df


@pytest.mark.parametrize(("beside", "is_yellow"), [(0, False), (5, False), (50, True)])
def test_frames_beside_the_buffer_are_coloured_if_they_are_many(
    beside: int, is_yellow: bool
) -> None:
    row = change(
        golden().objects[0], gets=100, sets=0, executes=0, last=9_000, beside=beside
    )
    told = change(golden(), objects=[row])
    (line,) = [
        line for line in report_of(told, window_of(told), 200) if "█" in line.plain
    ]
    bar = line.plain.index("█")
    (style,) = {span.style for span in line.spans if span.start <= bar < span.end}
    assert (style == "yellow") is is_yellow


def test_a_chained_object_stands_below_its_parent() -> None:
    lines = shown(golden()).splitlines()
    rows = [line for line in lines if line.lstrip().startswith("root")][:2]
    assert [row.split()[0] for row in rows] == ["root", "root.next"]
    assert rows[1].startswith(" ")


def test_the_tail_of_a_long_path_stays_visible() -> None:
    path = ".".join(["model", *["named_steps"] * 9, "forest"])
    row = change(golden().objects[0], path=path)
    line = line_of(frame(change(golden(), objects=[row])), "model.")
    assert line.split("  ")[0].endswith(".forest")
    assert "…" in line.split("  ")[0]


def test_a_cut_chain_is_marked() -> None:
    cut = line_of(shown(golden()), "✂ root.next.next")
    assert "LimitedProxyChaining: the limit is 2" in cut


def test_workers_alive_and_ended_are_told_apart() -> None:
    text = shown(golden())
    assert "df, the server" in line_of(text, "4101")
    assert "70.0 MB" in line_of(text, "4101")
    assert "ended by SIGTERM" in line_of(text, "4106")
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
    assert "50 %" in line_of(text, "4101")
    traffic = line_of(text, "1.5k calls/s (GET 1.5k, SET 0, EXECUTE 0)")
    assert traffic.endswith("waiting 50 %")


def test_latencies_have_two_figures_and_no_exponent() -> None:
    first = golden()
    latency = list(first.totals.latency)
    latency[10] += 1000
    second = change(
        first, time=first.time + 1, totals=change(first.totals, latency=latency)
    )
    assert "p50 180 µs  p99 250 µs" in shown(second, 80, first)


def test_errors_are_shown_with_what_to_do() -> None:
    text = shown(golden())
    assert line_of(text, "×15").endswith("KeyError: 'lost'")  # noqa: RUF001 - times
    assert "    %share root --max-chain 3" in text.splitlines()


def test_of_many_errors_the_newest_are_shown() -> None:
    errors = golden().errors or []
    text = shown(change(golden(), errors=errors * 10, error_kinds=20))
    assert f"and {20 - MOST_ERRORS} more rows" in text


def test_what_was_spooled_is_said() -> None:
    assert line_of(shown(golden()), "Shared memory") == (
        "Shared memory: 9.00 MB held, 48.0 MB of 64 MB free; 8.00 MB spooled to "
        "/var/tmp/duck"
    )


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    row = change(golden().objects[0], path="[red]x[/]", type="[/bold]")
    chain = change((golden().chains or [])[0], type="[/i]")
    text = shown(change(golden(), objects=[row], chains=[chain]))
    assert "[red]x[/] " in text
    assert "[/i]" in text


def hostile() -> Snapshot:
    """
    Give a snapshot in which every text is a code for the terminal.
    """
    first = golden()
    texts = {"path": CODE, "type": CODE, "last_error": CODE, "root": CODE}
    objects = [change(row, **texts, size=CODE, mode=CODE) for row in first.objects]
    workers = [change(row, name=CODE, calling=[CODE]) for row in first.workers]
    errors = [
        change(
            row,
            **{"type": CODE, "object": CODE, "message": CODE, "worker": CODE},
            ways_out=[(CODE, CODE)],
            traceback=CODE,
        )
        for row in first.errors or []
    ]
    return change(
        first,
        objects=objects,
        workers=workers,
        ended=[change(row, name=CODE, words=CODE) for row in first.ended],
        errors=errors,
        chains=[change(row, path=CODE, type=CODE) for row in first.chains or []],
        memory=change(first.memory, spool_dir=CODE),
    )


@pytest.mark.parametrize(
    "keys",
    [
        *((), ("end",), ("enter",), ("end", "enter")),
        *(("w",), ("w", "end"), ("w", "enter"), ("w", "end", "enter")),
        *(("e",), ("e", "enter")),
    ],
)
def test_codes_in_what_a_kernel_says_never_reach_the_terminal(
    keys: tuple[str, ...],
) -> None:
    lines = frame(hostile(), *keys, size=(200, 60), title=CODE, note=CODE)
    assert all(line.isprintable() for line in lines)
    assert SHOWN in "\n".join(lines)


def test_codes_are_escaped_in_a_report() -> None:
    text = shown(hostile(), 400)
    assert text.replace("\n", "").isprintable()
    assert text.count(SHOWN) > 10


@pytest.mark.parametrize("width", [40, 80, 300])
def test_it_can_be_written_at_any_width(width: int) -> None:
    assert max(map(cell_len, shown(golden(), width).splitlines())) <= width


def test_of_many_objects_the_busiest_are_shown_in_their_order() -> None:
    row = golden().objects[0]
    rows = [change(row, idx=i, path=f"object_{i}") for i in range(1000)]
    before = change(golden(), objects=rows)
    after = list(rows)
    for i in (700, 500):
        after[i] = change(row, idx=i, path=f"object_{i}", gets=row.gets + i)
    text = shown(change(before, time=before.time + 1, objects=after), 200, before)
    assert text.count("object_") == MOST_ROWS - 1  # and one path that was cut
    assert text.index("object_500 ") < text.index("object_700 ")
    assert f"and {1000 + 1 - MOST_ROWS} more rows" in text


def test_of_many_workers_that_ended_the_last_are_shown() -> None:
    end = golden().ended[0]
    ended = [change(end, pid=9000 + i) for i in range(100)]
    lines = shown(change(golden(), ended=ended)).splitlines()
    found = [line.split()[0] for line in lines if line.lstrip().startswith("90")]
    assert found == [str(9099 - i) for i in range(MOST_ENDED)]
