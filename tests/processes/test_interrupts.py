"""
Interrupts, signals and deaths at the worst moments: no foreign byte, no wrong answer.

What is raised here comes from real signal handlers; `tests.interruption` raises at
every instruction.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import DataDecodeError
from tests.support.processes import kill, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow


class Late(Exception):
    """
    What the signal handlers of these tests raise.
    """


class Store:
    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        self.value = 0

    def put(self, tag: str, data: bytes) -> str:
        assert set(data) == {ord(tag)}
        self.got.append((tag, len(data)))
        return tag

    def give(self, tag: str, size: int) -> bytes:
        return tag.encode() * size

    def recursive(self) -> Any:
        return Recursive()  # type: ignore[abstract]


class Recursive(datetime.tzinfo):
    """
    Travels by value, and cannot be rebuilt: that would never end.
    """

    def __reduce__(self) -> Any:
        return rebuild_for_ever, ()


def rebuild_for_ever() -> Any:
    return rebuild_for_ever()


def raise_late(*_: object) -> None:
    raise Late


@contextlib.contextmanager
def signal_at(
    module: str, count: int, handler: Callable[..., object]
) -> Iterator[list[int]]:
    """
    Let a signal come before a line of one of our modules.

    Args:
        module: The name of its file.
        count: The number of the line, in the order in which they are executed.
        handler: What handles the signal.

    Yields:
        A list that holds the number of lines that there were.
    """
    signal.signal(signal.SIGUSR1, handler)
    seen = [0]

    def trace(frame: Any, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.endswith(module):
            return trace
        if event == "line":
            seen[0] += 1
            if seen[0] == count:
                sys.settrace(None)
                signal.raise_signal(signal.SIGUSR1)
        return trace

    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(None)


# -- large messages


def interrupt_large_answers(store: Any, answers: Any) -> None:
    for count in range(1, 100):
        with signal_at("overflow.py", count, raise_late) as seen:
            try:
                store.give("b", 300_000 + count)
                interrupted = False
            except Late:
                interrupted = True
        for tag, size in (("c", 60_000), ("d", 5), ("e", 400_000)):
            assert store.give(tag, size) == tag.encode() * size
        if seen[0] < count:
            break
        assert interrupted
    answers.put(count)


def test_the_answer_after_an_interrupted_large_one_is_its_own(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    crew.start(interrupt_large_answers, server.create_proxy(Store()), answers)
    crew.join()
    assert answers.get() > 1
    answers.close()


def call_inside_large_requests(store: Any, answers: Any) -> None:
    inner = []

    def call(*_: object) -> None:
        inner.append(store.put("i", b"i" * 100_000))

    outer = 0
    for count in range(1, 100):
        with signal_at("overflow.py", count, call) as seen:
            assert store.put("o", b"o" * 200_000) == "o"
        outer += 1
        if seen[0] < count:
            break
    answers.put((outer, inner))


def test_a_call_inside_a_large_request_has_a_lane_of_its_own(
    server: ProxyServer, crew: Crew
) -> None:
    store = Store()
    answers = crew.context.SimpleQueue()
    crew.start(call_inside_large_requests, server.create_proxy(store), answers)
    crew.join()
    outer, inner = answers.get()
    answers.close()
    assert len(inner) >= 1
    assert inner == ["i"] * len(inner)
    assert sorted(store.got) == sorted(
        [("o", 200_000)] * outer + [("i", 100_000)] * len(inner)
    )


class Farewell:
    """
    Calls the store when the garbage collector finds it.
    """

    def __init__(self, store: Any, said: list[Any]) -> None:
        self.itself = self
        self.store = store
        self.said = said

    def __del__(self) -> None:
        self.said.append(self.store.give("f", 3))


def collect_inside_calls(store: Any, answers: Any) -> None:
    gc.set_threshold(20, 5, 5)
    said: list[Any] = []
    for number in range(2000):
        Farewell(store, said)
        assert store.give("a", number % 500) == b"a" * (number % 500)
    gc.collect()
    answers.put((len(said), set(said)))


def test_destructors_may_call_in_the_middle_of_calls(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    crew.start(collect_inside_calls, server.create_proxy(Store()), answers)
    crew.join()
    assert answers.get() == (2000, {b"fff"})
    answers.close()


def ask_for_ever(store: Any) -> None:
    while True:
        store.give("x", 300_000)


def test_no_answer_is_written_into_a_file_of_the_kernels_own(
    server: ProxyServer, crew: Crew, tmp_path: Path
) -> None:
    """
    The number of a closed descriptor is the next file's.
    """
    proxy = server.create_proxy(Store())
    text = b"precious data of the user\n" * 40
    end = time.monotonic() + 4
    killed = 0
    while time.monotonic() < end:
        workers = [crew.start(ask_for_ever, proxy) for _ in range(2)]
        # In the middle of their answers.
        assert wait_until(lambda: len(server.statistics().workers) >= 2)
        for worker in workers:
            assert worker.pid is not None
            kill(worker.pid)
            killed += 1
            files = [
                os.open(tmp_path / str(number), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
                for number in range(20)
            ]
            for fd in files:
                os.write(fd, text)
            for fd in files:
                assert os.pread(fd, 2**20, 0) == text
                os.close(fd)
    assert killed >= 4


# -- exceptions of the user's own


class LateValue(ValueError):
    """
    Of a kind that decoding raises as well.
    """


class Slow(datetime.tzinfo):
    """
    Travels by value; a signal comes while it is rebuilt.
    """

    def __reduce__(self) -> Any:
        return rebuild_slowly, ()


def rebuild_slowly() -> str:
    signal.raise_signal(signal.SIGUSR1)
    return "rebuilt"


class Giver:
    number = 5

    def give(self) -> Slow:
        return Slow()  # type: ignore[abstract]

    def fail(self) -> Any:
        error = KeyError("x")
        error.slow = Slow()  # type: ignore[abstract, attr-defined]
        raise error


def outcome(call: Callable[[], Any]) -> str:
    try:
        return str(call())
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("kind", [Late, LateValue, KeyboardInterrupt])
def test_what_a_signal_handler_raises_while_an_answer_is_decoded_is_itself(
    server: ProxyServer, crew: Crew, kind: type[BaseException]
) -> None:
    def decode(giver: Any, answers: Any) -> None:
        def handle(*_: object) -> None:
            raise kind("mine")

        signal.signal(signal.SIGUSR1, handle)
        answers.put(outcome(giver.give))
        answers.put(outcome(giver.fail))
        answers.put(giver.number)

    answers = crew.context.SimpleQueue()
    crew.start(decode, server.create_proxy(Giver()), answers)
    crew.join()
    name = f"{kind.__name__}: mine"
    assert [answers.get() for _ in range(3)] == [name, name, 5]
    answers.close()


def test_a_value_whose_rebuilding_never_ends_is_a_recursion_error(
    server: ProxyServer, crew: Crew
) -> None:
    def ask(store: Any, answers: Any) -> None:
        try:
            store.recursive()
        except RecursionError as error:
            answers.put("installed" in str(error))
        answers.put(store.value)

    answers = crew.context.SimpleQueue()
    crew.start(ask, server.create_proxy(Store()), answers)
    crew.join()
    assert [answers.get(), answers.get()] == [False, 0]
    answers.close()


def test_a_decode_error_leaves_the_lane_usable(server: ProxyServer, crew: Crew) -> None:
    """
    The answer was taken whole; only its value cannot be made.
    """

    def ask(store: Any, answers: Any) -> None:
        sys.modules["tests.processes.not_there"] = None  # type: ignore[assignment]
        for _ in range(3):
            with contextlib.suppress(DataDecodeError):
                store.unloadable()
            answers.put(store.lanes())

    class Odd(Store):
        def unloadable(self) -> Any:
            return Unloadable()  # type: ignore[abstract]

        def lanes(self) -> int:
            return len(server.connections())

    answers = crew.context.SimpleQueue()
    crew.start(ask, server.create_proxy(Odd()), answers)
    crew.join()
    assert [answers.get() for _ in range(3)] == [1, 1, 1]
    answers.close()


class Unloadable(datetime.tzinfo):
    def __reduce__(self) -> Any:
        return __import__, ("tests.processes.not_there",)
