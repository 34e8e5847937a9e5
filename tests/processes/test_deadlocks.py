"""
Threads that would wait for each other in a circle: one is refused, and told all of it.
"""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.client.locking import locked
from duck_jupyter.errors import DeadlockError
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duck_jupyter.proxy import Proxy, ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow

WHO = r"ForkProcess-\d+ \(pid \d+\)"


class Number:
    value = 0


def take_both(first: Any, second: Any, holding: Any, go: Any, answers: Any) -> None:
    try:
        with locked(first):
            holding.put(None)
            go.get()
            with locked(second):
                answers.put("both")
    except DeadlockError as error:
        answers.put((str(error), error.line))


def close_circle(
    server: ProxyServer, crew: Crew, proxies: Sequence[Proxy]
) -> tuple[str, str]:
    """
    Let a worker for each object take its lock, and then ask for that of the next one.

    Returns:
        The text and the line of the error of the last one.
    """
    count = len(proxies)
    holding, answers = crew.context.SimpleQueue(), crew.context.SimpleQueue()
    gates = [crew.context.SimpleQueue() for _ in proxies]
    pairs = zip(proxies, [*proxies[1:], proxies[0]], gates, strict=True)
    for first, second, gate in pairs:
        crew.start(take_both, first, second, holding, gate, answers)
    for _ in proxies:
        holding.get()
    for place, gate in enumerate(gates):
        assert wait_until(lambda: len(server.statistics().waits) == place)  # noqa: B023
        gate.put(None)
    # The others go on, for the refused one leaves its block.
    found = [answers.get() for _ in proxies]
    crew.join()
    for queue in (holding, answers, *gates):
        queue.close()
    assert found.count("both") == count - 1
    ((text, line),) = (answer for answer in found if answer != "both")
    return text, line


@pytest.mark.parametrize("names", ["ab", "abc", "cba"])
def test_the_refused_one_is_told_the_whole_circle_and_one_order(
    server: ProxyServer, crew: Crew, names: str
) -> None:
    """
    The order is the same one, whoever is refused and in whichever order they came.
    """
    proxies = [server.create_proxy(Number(), name=name) for name in names]
    text, line = close_circle(server, crew, proxies)
    first, last = names[0], names[-1]
    assert re.match(f"The lock of {first} would never become free for {WHO}, ", text)
    for holds, waits in zip(names, names[1:] + first, strict=True):
        word = "asks" if holds == last else "waits"
        link = f"{WHO} holds {holds} and {word} for {waits}[;.]"
        assert len(re.findall(link, text)) == 1, text
    assert len(set(re.findall(WHO, text))) == len(names)
    locks = ", ".join(f"locked(shared.{name})" for name in sorted(names))
    assert line == f"with {locks}:"
    assert text.endswith(
        "the same order; a worker uses the proxies that were "
        f"passed to it. In the notebook: {line}"
    )


def test_the_line_can_be_typed_for_a_name_that_is_no_identifier(
    server: ProxyServer, crew: Crew
) -> None:
    proxies = [server.create_proxy(Number(), name=name) for name in ("a b", "n")]
    _, line = close_circle(server, crew, proxies)
    assert line == "with locked(shared.n), locked(shared['a b']):"


def test_objects_without_names_are_told_apart_and_given_no_code(
    server: ProxyServer, crew: Crew
) -> None:
    proxies = [server.create_proxy([]), server.create_proxy({}, name="d")]
    text, line = close_circle(server, crew, proxies)
    number = proxies[0]._duck_idx
    assert f"holds list (object {number}) and waits for d; " in text
    assert text.endswith(f"order, such as first d, then list (object {number}).")
    assert "with locked" not in text
    assert line == ""


def test_the_error_is_noted_under_the_object_that_was_asked_for(
    server: ProxyServer, crew: Crew
) -> None:
    proxies = [server.create_proxy(Number(), name=name) for name in ("one", "two")]
    text, line = close_circle(server, crew, proxies)
    found = server.statistics()
    (error,), (group,) = found.errors, found.error_groups
    assert (error.object, error.asked) == ("one", "lock")
    last = {each.path: each.last_error for each in found.proxies}
    assert last == {"one": f"DeadlockError: {text}", "two": None}
    ((sentence, way),) = group.ways_out
    assert sentence == "Take the locks in one and the same order everywhere."
    assert way == line


def test_the_notebook_is_refused_as_well(server: ProxyServer, crew: Crew) -> None:
    one = server.create_proxy(Number(), name="one")
    two = server.create_proxy(Number(), name="two")
    holding, go, answers = (crew.context.SimpleQueue() for _ in range(3))
    with locked(one):
        crew.start(take_both, two, one, holding, go, answers)
        holding.get()
        go.put(None)
        assert wait_until(lambda: len(server.statistics().waits) == 1)
        told = r"the notebook \(pid \d+, thread MainThread\) holds one and asks for two"
        with pytest.raises(DeadlockError, match=told), locked(two):
            raise AssertionError("it was refused")
    assert answers.get() == "both"
    crew.join()
    for queue in (holding, go, answers):
        queue.close()


def take_in_threads(one: Any, two: Any, holding: Any, gates: Any, answers: Any) -> None:
    with ThreadPoolExecutor(2, thread_name_prefix="mine") as pool:
        pool.submit(take_both, one, two, holding, gates[0], answers)
        pool.submit(take_both, two, one, holding, gates[1], answers)


def test_threads_of_one_worker_are_told_apart(server: ProxyServer, crew: Crew) -> None:
    one = server.create_proxy(Number(), name="one")
    two = server.create_proxy(Number(), name="two")
    holding, *gates, answers = (crew.context.SimpleQueue() for _ in range(4))
    crew.start(take_in_threads, one, two, holding, gates, answers)
    for _ in gates:
        holding.get()
    gates[0].put(None)
    assert wait_until(lambda: len(server.statistics().waits) == 1)
    gates[1].put(None)
    found = sorted([answers.get(), answers.get()], key=lambda a: a == "both")
    (text, _), both = found
    assert both == "both"
    who = r"ForkProcess-\d+ \(pid \d+, thread mine_"
    assert len(set(re.findall(who + r"\d\)", text))) == 2
    crew.join()
    for queue in (holding, answers, *gates):
        queue.close()


def take_twice(lock: Any, answers: Any) -> None:
    def handle(*_: object) -> None:
        answers.put("asks")
        with locked(lock):
            answers.put("handler")

    signal.signal(signal.SIGUSR1, handle)
    answers.put("begun")
    with locked(lock):
        answers.put("body")


def test_a_signal_handler_and_its_thread_get_the_lock_that_both_wait_for(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(Number())
    answers = crew.context.SimpleQueue()
    with locked(proxy):
        worker = crew.start(take_twice, proxy, answers)
        assert answers.get() == "begun"
        assert wait_until(lambda: len(server.statistics().waits) == 1)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGUSR1)
        assert answers.get() == "asks"
        assert wait_until(lambda: len(server.statistics().waits) == 2)
    assert {answers.get(), answers.get()} == {"handler", "body"}
    crew.join()
    with locked(proxy, timeout=5):
        pass
    answers.close()


def take_other_in_handler(
    first: Any, second: Any, third: Any, holding: Any, answers: Any
) -> None:
    def handle(*_: object) -> None:
        with locked(third):
            pass
        holding.put("handled")

    signal.signal(signal.SIGUSR1, handle)
    with locked(first):
        holding.put("first")
        with locked(second):
            answers.put("both")


def test_a_circle_is_found_though_a_signal_handler_waited_meanwhile(
    server: ProxyServer, crew: Crew
) -> None:
    one, two, three = (server.create_proxy(Number()) for _ in range(3))
    holding, answers = crew.context.SimpleQueue(), crew.context.SimpleQueue()
    with locked(two):
        with locked(three):
            names = one, two, three, holding, answers
            worker = crew.start(take_other_in_handler, *names)
            assert holding.get() == "first"
            assert wait_until(lambda: len(server.statistics().waits) == 1)
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGUSR1)
            assert wait_until(lambda: len(server.statistics().waits) == 2)
        assert holding.get() == "handled"
        with pytest.raises(DeadlockError), locked(one, timeout=5):
            pass
    assert answers.get() == "both"
    crew.join()
    for queue in (holding, answers):
        queue.close()
