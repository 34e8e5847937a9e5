"""
The harness notices what goes wrong, and nothing else.

It is tried with a server of its own that is simple and right, and with faults in it.
"""

from __future__ import annotations

import functools
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from .alarm import OFF, RAISE, Alarm
from .campaign import run_alone
from .faulty import FAULTS, Hoarder, make_faulty
from .judge import count_calls, count_changes, count_items
from .ledger import Ledger, Pages, has_ended, path_of, read_pages
from .plans import KINDS, Plan, make_plan
from .round import run_round
from .standin import serve_plainly
from .targets import make_targets
from .totals import FAILURES, Totals, as_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from .targets import Targets

CALM = Plan(
    "calm",
    seed=1,
    seconds=0.7,
    workers=2,
    weights={"add": 3, "echo": 1, "get": 2, "acquire": 2},
    largest=1000,
    hang_s=2.0,
    settle_s=3.0,
)
ROUND_S = 1.5


def count(pages: Pages, targets: Targets, died: dict[int, float]) -> Totals:
    totals = Totals()
    count_calls(pages, totals)
    count_changes(pages, targets, totals)
    count_items(pages, targets, died, totals)
    return totals


# -- whole rounds ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_right_has_no_failures(kind: str, seed: int) -> None:
    plan = make_plan(kind, seed, ROUND_S, quick=True)
    plan = replace(plan, method="fork", cores=0, workers=min(plan.workers, 4))
    totals = run_round(plan, serving=serve_plainly)
    assert totals.failures == {}, totals.notes
    assert totals.acknowledged > 50
    assert bool(totals.interrupts) == bool(plan.interrupt_every_s)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed_in_its_column(fault: str) -> None:
    made: list[Targets] = []

    def make(workers: int) -> Targets:
        made.append(make_faulty(fault, workers))
        return made[0]

    totals = run_round(CALM, make, serve_plainly)
    assert set(totals.failures) == FAULTS[fault], totals.notes
    assert totals.notes
    board = made[0].board
    if isinstance(board, Hoarder):
        board.clear()


@pytest.mark.slow
def test_without_a_fault_the_same_round_is_fine() -> None:
    totals = run_round(CALM, make_targets, serve_plainly)
    assert totals.failures == {}, totals.notes


# -- interrupts ------------------------------------------------------------------------


@pytest.fixture
def alarm() -> Any:
    handlers = {x: signal.getsignal(x) for x in (signal.SIGALRM, signal.SIGINT)}
    alarm = Alarm(lambda: None)
    alarm.install()
    yield alarm
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def interrupt_inside() -> int:
    signal.raise_signal(signal.SIGINT)
    return 1


def test_an_interrupt_inside_a_call_cuts_it(alarm: Alarm) -> None:
    assert alarm.attempt(interrupt_inside, RAISE, 10.0).word == "cut"
    assert alarm.mode == OFF


def test_an_interrupt_of_what_is_not_armed_does_nothing(alarm: Alarm) -> None:
    assert alarm.attempt(interrupt_inside, OFF) == ("ack", 1)


def test_an_interrupt_outside_of_the_call_leaves_open_what_became_of_it(
    alarm: Alarm,
) -> None:
    raise_now = functools.partial(signal.raise_signal, signal.SIGINT)
    assert alarm.attempt(raise_now, RAISE, 10.0).word == "edge"


def test_an_error_is_a_wrong_answer_unless_it_is_expected(alarm: Alarm) -> None:
    assert alarm.attempt(lambda: [][0], OFF).word == "wrong"
    assert alarm.attempt(lambda: [][0], OFF, fine=(IndexError,)).word == "ack"


# -- ledgers ---------------------------------------------------------------------------


def test_a_ledger_is_read_to_where_its_worker_was_killed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "3.0")
    ledger.write("ready")
    ledger.write("begin", "add", "3.0.0")
    ledger.write("ack", "add", "3.0.0")
    ledger.write("begin", "get", "3.0.1")
    ledger.close()
    path = path_of(tmp_path, "3.0")
    path.write_bytes(path.read_bytes() + b"17.3 ac")
    pages = read_pages(tmp_path)
    assert [(c.worker, c.kind, c.word) for c in pages.calls.values()] == [
        (3, "add", "ack"),
        (3, "get", "begin"),
    ]
    assert not pages.foreign
    assert not has_ended(path)


def test_foreign_bytes_in_a_ledger_are_noticed(tmp_path: Path) -> None:
    path_of(tmp_path, "0.0").write_bytes(b"\x92\xff\xee\xee\n")
    assert len(read_pages(tmp_path).foreign) == 1


def pages_of(tmp_path: Path, *lines: tuple[str, str, str, str]) -> Pages:
    ledger = Ledger(tmp_path, "0.0")
    for word, kind, tag, value in lines:
        ledger.write("begin", kind, tag)
        if word != "begin":
            ledger.write(word, kind, tag, value)
    ledger.close()
    return read_pages(tmp_path)


@pytest.mark.parametrize(
    ("word", "died", "lost"),
    [
        ("ack", None, 0),
        ("cut", None, 1),
        ("edge", None, 0),
        ("begin", None, 0),
        # Handed out when it was dead already, or when it may have lived.
        ("begin", -1.0, 1),
        ("begin", +1.0, 0),
    ],
)
def test_an_item_is_lost_unless_a_worker_may_have_it(
    tmp_path: Path, word: str, died: float | None, lost: int
) -> None:
    targets = make_targets(1)
    targets.items.feed()
    targets.items.feed()
    assert targets.items.get() == 1
    pages = pages_of(tmp_path, (word, "get", "t", "1" if word == "ack" else ""))
    dead = {} if died is None else {0: targets.items.handed[1] + died}
    assert count(pages, targets, dead).failures == ({"lost": 1} if lost else {})


def test_an_item_that_was_got_and_is_there_again_is_doubled(tmp_path: Path) -> None:
    targets = make_targets(1)
    targets.items.feed()
    pages = pages_of(tmp_path, ("ack", "get", "t", "1"))
    assert count(pages, targets, {}).failures == {"doubled": 1}


@pytest.mark.parametrize(
    ("word", "times", "failures"),
    [
        ("ack", 1, {}),
        ("ack", 0, {"lost": 1}),
        ("ack", 2, {"doubled": 1}),
        ("cut", 0, {}),
        ("cut", 1, {}),
        ("cut", 2, {"doubled": 1}),
        ("edge", 0, {}),
        ("begin", 1, {}),
    ],
)
def test_a_change_is_made_once_if_acknowledged_and_at_most_once_if_not(
    tmp_path: Path, word: str, times: int, failures: dict[str, int]
) -> None:
    targets = make_targets(1)
    for _ in range(times):
        targets.board.add("t")
    pages = pages_of(tmp_path, (word, "add", "t", ""))
    assert count(pages, targets, {}).failures == failures


def test_a_change_that_nobody_asked_for_is_wrong(tmp_path: Path) -> None:
    targets = make_targets(1)
    targets.board.add("t")
    assert count(pages_of(tmp_path), targets, {}).failures == {"wrong": 1}


@pytest.mark.parametrize(
    ("value", "failures"), [(1, {"lost": 1}), (2, {}), (3, {}), (4, {"doubled": 1})]
)
def test_steps_under_a_lock_add_up(
    tmp_path: Path, value: int, failures: dict[str, int]
) -> None:
    targets = make_targets(1)
    targets.board.number = value
    words = ["ack", "late", "cut"]
    pages = pages_of(tmp_path, *((w, "locked", f"t{w}", "") for w in words))
    assert count(pages, targets, {}).failures == failures


# -- totals ----------------------------------------------------------------------------


def test_totals_add_up_and_are_laid_out() -> None:
    total = Totals(rounds=1, lost=2, fewest=10, most=11, p999_s=0.5)
    total.add(Totals(rounds=1, hung=1, fewest=5, most=50, p999_s=0.1))
    assert (total.rounds, total.failures) == (2, {"lost": 2, "hung": 1})
    assert (total.fewest, total.most, total.p999_s) == (5, 50, 0.5)
    assert Totals.from_dict(total.as_dict()) == total
    lines = as_markdown({"kills": total}).splitlines()
    assert [line.count("|") for line in lines[:4]] == [16] * 4
    assert set(FAILURES) <= set(total.as_dict())


# -- rounds that do not end ------------------------------------------------------------


@pytest.mark.slow
def test_a_round_that_crashes_counts_and_says_how_it_ended() -> None:
    # There is no such round: its process says so, and fails.
    said: list[str] = []
    totals = run_alone("none", 1, 1.0, True, said.append)
    assert totals.failures == {"hung": 1}
    assert "invalid choice" in said[0]
    assert "--seed 1" in said[0]
