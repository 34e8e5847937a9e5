"""
The list of what pools compute, one row at a time.
"""

from __future__ import annotations

import msgspec

from duck_jupyter.cli.rates import Window
from duck_jupyter.cli.screen import frame_of, report_of
from duck_jupyter.cli.task_list import Tasks
from duck_jupyter.cli.view import View
from duck_jupyter.stats.text import UNKNOWN
from tests.support.snapshots import golden

change = msgspec.structs.replace


def test_a_run_that_goes_on_and_one_that_is_over() -> None:
    tasks = Tasks(golden())
    assert tasks.title().plain == "Tasks 1 running ✕ 5 failed"
    on, over, unseen = (
        [cell.plain for cell in tasks.cells(at)] for at in range(len(tasks.keys))
    )
    assert on[:4] == ["fit", "ProcessPoolExecutor 2", "1,548 so far", "1"]
    # Not every number is known yet.
    assert on[4:] == ["37/s", UNKNOWN, "25 %", UNKNOWN, "2 of 2"]
    assert over[:4] == ["score", "Pool 4", "34 / 36", "4"]
    assert over[4:] == ["1.9/s", UNKNOWN, "25 %", "2.5 s", "18 s, worth 2.8 of 4"]
    assert unseen[-1] == "made before %load_ext: its tasks are not counted"
    assert tasks.unlisted == 12


def test_the_time_left_is_told() -> None:
    snapshot = golden()
    runs = [change(snapshot.runs[1], total_known=True)]
    cells = Tasks(change(snapshot, runs=runs)).cells(0)
    assert (cells[2].plain, cells[5].plain) == ("1,548 / 4,096", "1 m 10 s")


def test_all_details_of_a_run() -> None:
    tasks = Tasks(golden())
    text = "\n".join(line.plain for line in tasks.more(1))
    for words in (
        "score: 34 / 36, began 1 m ago",
        "computing 70 %, waiting on cache 25 %",
        "Its workers wait on cache for a quarter of their time.",
        "1 task cancelled",
        "1 task lost",
        "Failed: ValueError 2, KeyError 1",
        "Slowest: score('UA', 7) 3.1 s, score() 3 s",
        "Handed over 24 times, 96.0 MB not copied",
    ):
        assert words in text
    assert "before the extension was loaded" in tasks.more(2)[1].plain


def test_the_key_t_shows_it_on_a_small_screen() -> None:
    snapshot, window, view = golden(), Window(), View()
    window.add(snapshot)
    view.press("t", [Tasks(snapshot)] * 4)
    lines = [line.plain for line in frame_of(snapshot, window, view, (80, 24))]
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if "1,548 so far" in line)
    assert row.split()[:2] == [">", "fit"]
    assert row.rstrip().endswith("2 of 2")


def test_tabs_that_do_not_fit_say_only_how_many() -> None:
    snapshot, window, view = golden(), Window(), View()
    window.add(snapshot)
    tabs = frame_of(snapshot, window, view, (80, 24))[2].plain
    assert tabs.rstrip().endswith("Errors 19 of 2 kinds   Tasks 1")
    view.press("t", [Tasks(snapshot)] * 4)
    tabs = frame_of(snapshot, window, view, (80, 24))[2].plain
    assert "Tasks 1 running ✕ 5 failed" in tabs


def test_a_report_has_it_where_a_pool_has_run() -> None:
    snapshot, window = golden(), Window()
    window.add(snapshot)
    text = "\n".join(line.plain for line in report_of(snapshot, window, 120))
    assert "1,548 so far" in text
    assert "and 12 more rows" in text
    none = change(snapshot, runs=[], pools=[], run_count=0)
    text = "\n".join(line.plain for line in report_of(none, window, 120))
    assert "Function" not in text
    assert "Tasks 0" in Tasks(none).title().plain


def test_a_worker_that_has_only_tasks_is_not_served() -> None:
    snapshot, window = golden(), Window()
    idle = change(snapshot.workers[0], pid=9, connected=0.0, holds=0, calls=0)
    more = change(snapshot, workers=[*snapshot.workers, idle])
    window.add(more)
    first = frame_of(more, window, None, (80, 24))[0].plain
    assert first.startswith("Serving 4 objects to 3 workers")
