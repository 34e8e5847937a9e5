"""
Waiting for an answer can be ended, and a late answer is nobody's.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import ProxyTimeout
from duck_jupyter.proxy import Frame, ProxyOpCode

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow


class Part:
    value = 3


class Slow:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.part = Part()

    def echo_later(self, value: Any, seconds: float) -> Any:
        threading.Event().wait(seconds)
        return value

    def echo(self, value: Any) -> Any:
        return value


def ask_with_timeouts(slow: Any, answers: Any) -> None:
    late = 0
    for turn in range(30):
        seconds = (turn % 4) * 0.004
        frame = Frame(ProxyOpCode.EXECUTE, [1, "echo_later", [turn, seconds], {}])
        try:
            assert slow.get_response(frame, timeout=0.005) == turn
        except ProxyTimeout:
            late += 1
        assert slow.echo(-turn) == -turn
        assert slow.part.value == 3
    answers.put(late)


def test_a_late_answer_never_becomes_the_answer_of_the_next_question(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    proxy = server.create_proxy(Slow())
    for _ in range(3):
        crew.start(ask_with_timeouts, proxy, answers)
    crew.join()
    assert sum(answers.get() for _ in range(3)) > 10
    answers.close()


def time_out_inside(slow: Any, lock: Any, answers: Any) -> None:
    part = slow.part
    with lock:
        frame = Frame(ProxyOpCode.EXECUTE, [1, "echo_later", ["late", 0.1], {}])
        try:
            slow.get_response(frame, timeout=0.01)
        except ProxyTimeout:
            answers.put(slow.echo("next"))
    answers.put(part.value)


def test_after_a_timeout_inside_a_with_block_it_is_left_as_ever(
    server: ProxyServer, crew: Crew
) -> None:
    slow = Slow()
    answers = crew.context.SimpleQueue()
    proxy, lock = server.create_proxy(slow), server.create_proxy(slow.lock)
    crew.start(time_out_inside, proxy, lock, answers)
    crew.join()
    assert answers.get() == "next"
    assert answers.get() == 3
    assert slow.lock.acquire(timeout=1)
    slow.lock.release()
    answers.close()


def be_interrupted(slow: Any, answers: Any) -> None:
    part = slow.part
    for turn in range(10):
        timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            slow.echo_later("late", 20)
        except KeyboardInterrupt:
            assert slow.echo(turn) == turn
            assert part.value == 3
            answers.put(turn)
        timer.join()


def test_an_interrupt_ends_the_wait_and_the_next_call_is_right(
    server: ProxyServer, crew: Crew
) -> None:
    slow = Slow()
    answers = crew.context.SimpleQueue()
    slow.echo_later = short_wait(slow)  # type: ignore[method-assign]
    crew.start(be_interrupted, server.create_proxy(slow), answers)
    crew.join()
    assert [answers.get() for _ in range(10)] == list(range(10))
    slow.stop.set()  # type: ignore[attr-defined]
    answers.close()


def short_wait(slow: Any) -> Any:
    # So that the server's threads end with the test.
    slow.stop = threading.Event()
    return lambda value, seconds: (slow.stop.wait(seconds), value)[1]


def interrupt_in_a_storm(slow: Any, answers: Any) -> None:
    # No event: its lock may be held by the very line that the handler interrupts.
    armed, stop = [False], threading.Event()

    def interrupt(*_: object) -> None:
        if armed[0]:
            armed[0] = False
            raise KeyboardInterrupt

    def strike() -> None:
        while not stop.wait(0.003):
            os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, interrupt)
    striking = threading.Thread(target=strike)
    striking.start()
    wrong: list[int] = []
    calls = 0
    try:
        for _ in range(50):
            with suppress(KeyboardInterrupt):
                while True:
                    # Anew for each call: Python drops what is raised in a ``__del__``.
                    armed[0] = True
                    calls += 1
                    if slow.echo(calls) != calls:
                        wrong.append(calls)
    finally:
        armed[0] = False
        stop.set()
        striking.join()
    answers.put(wrong)


def test_interrupts_at_any_moment_mix_no_answers(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    crew.start(interrupt_in_a_storm, server.create_proxy(Slow()), answers)
    crew.join()
    assert answers.get() == []
    answers.close()


def call_in_a_handler(slow: Any, answers: Any) -> None:
    found = []
    signal.signal(signal.SIGALRM, lambda *_: found.append(slow.echo("inner")))
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    answers.put((slow.echo_later("outer", 0.3), found))


def test_a_signal_handler_calls_while_a_call_waits(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    crew.start(call_in_a_handler, server.create_proxy(Slow()), answers)
    crew.join()
    assert answers.get() == ("outer", ["inner"])
    answers.close()
