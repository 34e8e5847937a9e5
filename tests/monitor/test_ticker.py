"""
The ticker: one thread while somebody looks, and none otherwise.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import pytest

from duck_jupyter import share
from duck_jupyter.monitor import ticker as ticker_module
from duck_jupyter.monitor.commands import Commands
from duck_jupyter.monitor.ticker import Ticker
from duck_jupyter.monitor.viewers import PERIOD_S
from duck_jupyter.session import observe
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.session.session import Session
    from duck_jupyter.session.snapshot import Snapshot

DEADLINE_S = 10.0


class Eye:
    """
    Somebody who looks, and keeps what is shown.
    """

    def __init__(self) -> None:
        self.is_looking = True
        self.period_s = PERIOD_S
        self.seen: queue.Queue[Snapshot] = queue.Queue()
        self.threads: set[str] = set()

    def show(self, snapshot: Snapshot, whole: Snapshot) -> None:
        self.threads.add(threading.current_thread().name)
        self.seen.put(snapshot)

    def next(self) -> Snapshot:
        return self.seen.get(timeout=DEADLINE_S)


class Blind(Eye):
    """
    Somebody whose front end is closed.
    """

    def show(self, snapshot: Snapshot, whole: Snapshot) -> None:
        super().show(snapshot, whole)
        raise OSError("closed")


@pytest.fixture
def ticker(session: Session) -> Iterator[Ticker]:
    """
    A ticker that ends with its test.
    """
    ticker = Ticker(session, Commands(session))
    yield ticker
    ticker.stop()


def is_running() -> bool:
    """
    Tell whether a ticker's thread runs.
    """
    return any(thread.name == "duck-monitor" for thread in threading.enumerate())


def test_it_runs_only_while_somebody_looks(ticker: Ticker) -> None:
    eye = Eye()
    assert not is_running()
    ticker.add(eye)
    assert eye.next().whole
    assert eye.threads == {"duck-monitor"}
    ticker.discard(eye)
    ticker.discard(eye)
    assert wait_until(lambda: not is_running())
    ticker.add(eye)
    assert eye.next().whole


def test_who_looks_no_longer_without_a_word_is_left(ticker: Ticker) -> None:
    eye = Eye()
    ticker.add(eye)
    eye.next()
    eye.is_looking = False
    assert wait_until(lambda: not is_running())
    # It says so when it does again.
    eye.is_looking = True
    ticker.add(eye)
    while not eye.next().whole:
        pass


def test_the_first_is_whole_and_then_what_changed_is_sent(
    ticker: Ticker, session: Session
) -> None:
    share([1], name="one")
    eye = Eye()
    ticker.add(eye)
    first = eye.next()
    assert (first.whole, [row.path for row in first.objects]) == (True, ["one"])
    second = eye.next()
    assert (second.whole, second.objects, second.errors) == (False, [], None)
    assert second.object_count == 1
    share([2], name="two")
    while not (tick := eye.next()).objects:
        pass
    assert [row.path for row in tick.objects] == ["two"]
    session.unshare(["one"])
    while not (tick := eye.next()).gone:
        pass
    assert tick.gone == [first.objects[0].idx]


@pytest.mark.slow
def test_four_are_sent_a_second(ticker: Ticker) -> None:
    eye = Eye()
    ticker.add(eye)
    times = [eye.next().time for _ in range(5)]
    # On a busy machine they are fewer, and never more.
    assert (times[-1] - times[0]) / 4 > 0.8 * PERIOD_S


def test_whoever_wants_them_soonest_sets_the_pace(ticker: Ticker) -> None:
    slow, eye = Eye(), Eye()
    slow.period_s = 0.6
    ticker.add(slow)
    first = slow.next()
    assert slow.next().time - first.time > 0.5
    ticker.add(eye)
    first = eye.next()
    assert eye.next().time - first.time < 0.5


@pytest.mark.slow
def test_a_look_that_takes_long_is_followed_by_a_long_rest(
    ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    So that whoever looks takes a small part of the processor, however much is shared.
    """
    real = observe.snapshot_of

    def slow(*args: object, **kwargs: object) -> Snapshot:
        began = time.thread_time()
        while time.thread_time() - began < 0.03:
            pass
        found: Snapshot = real(*args, **kwargs)  # type: ignore[arg-type]
        return found

    monkeypatch.setattr(ticker_module, "snapshot_of", slow)
    eye = Eye()
    ticker.add(eye)
    first, second = eye.next(), eye.next()
    assert second.time - first.time > 1.0


def test_it_is_whole_again_now_and_then(
    ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker_module, "WHOLE_EVERY_S", (0.0, 0.0, 0.0))
    eye = Eye()
    ticker.add(eye)
    assert [eye.next().whole for _ in range(3)] == [True] * 3


def test_what_was_done_is_sent_at_once_and_whole(ticker: Ticker) -> None:
    eye = Eye()
    ticker.add(eye)
    first = eye.next()
    ticker.send_soon()
    second = eye.next()
    assert second.whole
    assert second.time - first.time < PERIOD_S


def test_everybody_gets_the_same(ticker: Ticker) -> None:
    eyes = [Eye(), Eye()]
    for eye in eyes:
        ticker.add(eye)
        ticker.add(eye)
    last = [eye.next() for eye in eyes]
    while last[0].seq < last[1].seq:
        last[0] = eyes[0].next()
    assert last[0] == last[1]
    assert [eye.next().seq for eye in eyes] == [last[0].seq + 1] * 2


def test_a_closed_front_end_disturbs_nobody(ticker: Ticker) -> None:
    blind, eye = Blind(), Eye()
    ticker.add(blind)
    ticker.add(eye)
    assert not [eye.next().objects for _ in range(3)][-1]
    assert blind.seen.qsize() == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_after_an_error_the_next_to_look_is_served(
    ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    eye = Eye()
    with monkeypatch.context() as patch:
        patch.setattr(ticker_module, "snapshot_of", None)
        ticker.add(eye)
        assert wait_until(lambda: not is_running())
    ticker.add(eye)
    assert eye.next().whole


def test_a_look_has_a_higher_number_than_those_before(ticker: Ticker) -> None:
    eye = Eye()
    ticker.add(eye)
    seen = [eye.next().seq, ticker.look().seq, ticker.look().seq]
    assert seen == sorted(set(seen))
    ticker.discard(eye)
    assert wait_until(lambda: not is_running())
    assert ticker.look().seq > seen[-1]


def test_who_looked_is_shown_how_it_ended(ticker: Ticker, session: Session) -> None:
    share([1], name="one")
    eye = Eye()
    ticker.add(eye)
    eye.next()
    session.stop()
    ticker.stop()
    assert not is_running()
    *_, last = [eye.seen.get_nowait() for _ in range(eye.seen.qsize())]
    assert (last.whole, last.state, last.objects) == (True, "stopped", [])


def test_after_the_end_nobody_is_served_until_it_starts_again(ticker: Ticker) -> None:
    eye = Eye()
    ticker.stop()
    ticker.stop()
    ticker.add(eye)
    assert not is_running()
    ticker.start()
    assert eye.seen.empty()
    ticker.add(eye)
    assert eye.next().whole


def test_a_snapshot_says_what_the_doctor_finds(ticker: Ticker) -> None:
    assert ticker.look().memory.findings is not None
