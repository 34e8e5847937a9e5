"""
What a line of progress says, by the numbers of a run.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from duck_jupyter.stats.progress import (
    ended_line,
    in_two_units,
    running_line,
    time_left,
)
from duck_jupyter.stats.progress_shown import as_html, as_text
from duck_jupyter.stats.task_rows import PoolRow, RunRow, Slow, Spent, WaitedOn
from tests.support.task_snapshots import runs

NOW = 1_000_041.8
RUN = replace(
    runs()[1],
    function="score",
    total=4_096,
    total_known=True,
    done=1_548,
    failed=1,
    in_hand=6,
    queued=2_542,
    first=NOW - 41.8,
    last=NOW,
    size=6,
    handed_over=4,
    not_copied=19_756_849_562,
    each_p50=0.16,
    advice="",
)
OVER = replace(
    RUN,
    done=4_096,
    failed=3,
    in_hand=0,
    queued=0,
    last=RUN.first + 108,
    ended=RUN.first + 108,
    spent=Spent(13.0, 453.6, 155.5, 20.0, 5.9),
    waited_on=(WaitedOn("conn", 155.5),),
    slowest=(Slow(3.1, "'UA', 7", 1, NOW),),
    failures=(("ValueError", 2), ("KeyError", 1)),
    advice="Take <fewer> calls.",
)
POOL = PoolRow(3, "Pool", 6, True, NOW - 60, None, None)


def text_of(run: RunRow, pool: PoolRow = POOL, *, interrupted: bool = False) -> str:
    return as_text([ended_line(run, pool, interrupted=interrupted)])


def test_a_run_that_goes_on() -> None:
    assert as_text([running_line(RUN, NOW)]) == (
        "● score  ━━━━━━━━━─────────────────  1,548 / 4,096  1 failed  1 m 10 s left  "
        "37/s  6 of 6 at work  18.4 GB not copied"
    )


def test_what_is_not_known_is_not_told() -> None:
    run = replace(RUN, total_known=False, failed=0, not_copied=100, done=2)
    line = as_text([running_line(run, NOW, more=2)])
    assert line == "● score +2  2 so far  2.9/min  6 of 6 at work"


def test_lines_of_several_pools_are_below_each_other() -> None:
    lines = [running_line(RUN, NOW), running_line(replace(RUN, function="f"), NOW)]
    first, second, more = as_text(lines, 2).splitlines()
    assert first.index("1,548") == second.index("1,548")
    assert more == "and 2 more pools"


def test_a_run_that_is_over() -> None:
    assert text_of(OVER) == (
        "✓ score  4,096 tasks in 1 m 48 s, worth 4.2 of 6 workers, 3 failed, "
        "18.4 GB not copied\n"
        "  computing 70 %, waiting on conn 24 %, waiting for a task 4 %, starting 2 %; "
        "slowest score('UA', 7) 3.1 s"
    )


@pytest.mark.parametrize(
    ("run", "how", "interrupted", "text"),
    [
        (
            replace(OVER, total=24, done=17, failed=0, killed=("P-2 killed",)),
            "broken",
            False,
            "✕ score  broke at 17 of 24, after 1 m 48 s, P-2 killed, 7 tasks not done",
        ),
        (
            replace(OVER, total=48, done=31, failed=0),
            "closed",
            True,
            "■ score  interrupted at 31 of 48, after 1 m 48 s, 6 workers ended",
        ),
        (
            replace(OVER, total=48, done=47, failed=0, lost=1),
            None,
            False,
            "■ score  stopped at 47 of 48, after 1 m 48 s, 1 lost",
        ),
        (RUN, None, False, "■ score  goes on, 1,548 of 4,096"),
        (
            RUN,
            None,
            True,
            "■ score  interrupted at 1,548 of 4,096, after 42 s, 1 failed",
        ),
    ],
)
def test_a_run_that_did_not_do_all(
    run: RunRow, how: str | None, interrupted: bool, text: str
) -> None:
    pool = replace(POOL, how=how)
    assert text_of(run, pool, interrupted=interrupted) == text


def test_html_says_the_same_without_styles_and_runs_nothing() -> None:
    html = as_html([ended_line(OVER, POOL, interrupted=False)])
    assert "<b>4,096</b> tasks in <b>1 m 48 s</b>" in html
    assert "<code>score(&#x27;UA&#x27;, 7)</code>" in html
    assert "<details><summary>computing 70 % · " in html
    assert "Take &lt;fewer&gt; calls." in html
    assert "<code>ValueError</code> 2, <code>KeyError</code> 1" in html
    html = as_html([running_line(replace(RUN, function="<lambda>"), NOW)], 1)
    assert '<progress max="4096" value="1548">' in html
    assert "<code>&lt;lambda&gt;</code>" in html
    assert "and 1 more pool<" in html
    assert "<script" not in html


@pytest.mark.parametrize(
    ("done", "elapsed", "left"),
    [
        (2, 10.0, None),
        (50, 0.0, None),
        (1, 1.0, None),
        (50, 10.0, 10.0),
        (90, 30.0, 3.0),
        (50, 47.0, 45.0),
        (50, 128.0, 130.0),
        (50, 700.0, 720.0),
        (99, 10.0, 1.0),
        (100, 10.0, 1.0),
    ],
)
def test_the_time_left_is_in_coarse_steps(
    done: int, elapsed: float, left: float | None
) -> None:
    run = replace(RUN, total=100, done=done, first=NOW - elapsed)
    assert time_left(run, NOW) == left


def test_of_few_tasks_those_in_hand_say_how_long_it_takes() -> None:
    run = replace(RUN, total=6, done=5, first=NOW - 10, each_p50=8.0)
    assert time_left(run, NOW, [1.0]) == 7.0
    assert time_left(run, NOW, [7.5]) == 2.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.131, "130 ms"),
        (3.1, "3.1 s"),
        (18.4, "18 s"),
        (60, "1 m"),
        (108, "1 m 48 s"),
        (3_900, "1 h 5 m"),
        (7_200, "2 h"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert in_two_units(seconds) == text


def test_a_long_name_keeps_head_and_tail() -> None:
    line = running_line(replace(RUN, function="a" * 20 + "b" * 20), NOW)
    assert line.name == "a" * 12 + "…" + "b" * 11
