"""
Whoever ends, however it ends: the others learn of it at once, and go on.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import KernelGone, RemoteTraceback
from duck_jupyter.proxy import ProxyServer
from tests.support.processes import ROOT, kill, wait_gone, wait_until

if TYPE_CHECKING:
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow

AT_ONCE_S = 1.0


class Desk:
    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.gate = threading.Event()

    def wait_for_ever(self) -> None:
        self.inside.release()
        self.gate.wait()

    def echo(self, value: Any) -> Any:
        return value

    def raise_key_error(self) -> None:
        raise KeyError("a key", 7)

    def raise_what_cannot_travel(self) -> None:
        raise Unfit(threading.Lock())


class Unfit(Exception):
    pass


def wait_for_the_end(desk: Any, answers: Any) -> None:
    try:
        desk.wait_for_ever()
    except KernelGone as error:
        answers.put(("gone", time.monotonic(), str(error)))
    try:
        desk.echo(1)
    except KernelGone as error:
        answers.put(("still gone", time.monotonic(), str(error)))


def test_closing_the_server_reaches_workers_that_wait(crew: Crew) -> None:
    desk = Desk()
    answers = crew.context.SimpleQueue()
    with ProxyServer() as server:
        proxy = server.create_proxy(desk)
        for _ in range(3):
            crew.start(wait_for_the_end, proxy, answers)
        for _ in range(3):
            assert desk.inside.acquire(timeout=10)
        closed = time.monotonic()
        server.close()
    crew.join()
    found = [answers.get() for _ in range(6)]
    assert sorted(word for word, _, _ in found) == ["gone"] * 3 + ["still gone"] * 3
    assert max(when for _, when, _ in found) - closed < AT_ONCE_S
    desk.gate.set()
    answers.close()


KERNEL = """
import multiprocessing, os, threading
from duck_jupyter.proxy import ProxyServer
from tests.processes.test_crash import Desk, report_the_end

def idle():
    threading.Event().wait()

context = multiprocessing.get_context("fork")
server = ProxyServer()
server.run()
desk = Desk()
proxy = server.create_proxy(desk)
pids = []
for number in range(4):
    # Forked while the one before is shaking hands: it inherits that socket.
    waiting = context.Process(target=report_the_end, args=(proxy,))
    waiting.start()
    idling = context.Process(target=idle)
    idling.start()
    pids.append(idling.pid)
for _ in pids:
    assert desk.inside.acquire(timeout=20)
os.write(1, f"{' '.join(map(str, pids))}\\n".encode())
threading.Event().wait()
"""


def report_the_end(desk: Any) -> None:
    try:
        desk.wait_for_ever()
    except KernelGone:
        os.write(1, f"gone {time.monotonic()}\n".encode())


@pytest.mark.parametrize("turn", range(3))
def test_killing_the_kernel_reaches_workers_though_its_forked_children_live(
    turn: int,
) -> None:
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert kernel.stdout is not None
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in kernel.stdout:  # type: ignore[union-attr]
            lines.put(line)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    idle: list[int] = []
    try:
        idle = [int(pid) for pid in lines.get(timeout=20).split()]
        assert len(idle) == 4
        killed = time.monotonic()
        kernel.kill()
        kernel.wait()
        ends = [lines.get(timeout=10).split() for _ in range(4)]
        assert [word for word, _ in ends] == ["gone"] * 4
        assert max(float(when) for _, when in ends) - killed < AT_ONCE_S
    finally:
        kernel.kill()
        kernel.wait()
        for pid in idle:
            kill(pid)
            wait_gone(pid)
        reading.join(10)
        kernel.stdout.close()
    # What the kernel could not remove, the next one does.
    with ProxyServer():
        pass


def call_for_ever(desk: Any, ready: Any) -> None:
    while True:
        desk.echo([1, "x" * 300])
        ready.set()


def test_killing_workers_never_stops_the_server(crew: Crew) -> None:
    with ProxyServer() as server:
        desk = Desk()
        proxy = server.create_proxy(desk)
        for _ in range(10):
            ready = crew.context.Event()
            worker = crew.start(call_for_ever, proxy, ready)
            assert ready.wait(10)
            assert worker.pid is not None
            kill(worker.pid)
        answers = crew.context.SimpleQueue()
        last = crew.start(ask_once, proxy, answers)
        last.join(10)
        assert answers.get() == "an answer"
        assert wait_until(lambda: not server.statistics().workers, 2.0)
        answers.close()


def ask_once(desk: Any, answers: Any) -> None:
    answers.put(desk.echo("an answer"))


def take(items: Any, ready: Any) -> None:
    ready.set()
    items.get()


@pytest.mark.parametrize("kind", [queue.Queue, queue.LifoQueue, queue.PriorityQueue])
def test_an_item_taken_for_a_killed_worker_goes_back(crew: Crew, kind: Any) -> None:
    items = kind()
    with ProxyServer() as server:
        proxy = server.create_proxy(items)
        for _ in range(5):
            ready = crew.context.Event()
            worker = crew.start(take, proxy, ready)
            assert ready.wait(10)
            assert wait_until(lambda: bool(items.not_empty._waiters))
            assert worker.pid is not None
            kill(worker.pid)
            worker.join()
            # At once: the server may not have noticed yet.
            items.put("an item")
            assert items.get(timeout=5) == "an item"
        # Who waits for a dead worker waits on until something comes, and gives it back.
        items.put("the last one")
        assert wait_until(lambda: not items.not_empty._waiters)
        assert wait_until(lambda: items.qsize() == 1)


def take_next(items: Any, ready: Any) -> None:
    ready.set()
    next(items)


def test_an_item_that_an_iterator_took_for_a_killed_worker_goes_back(
    crew: Crew,
) -> None:
    items: queue.Queue[str | None] = queue.Queue()
    with ProxyServer() as server:
        proxy = server.create_proxy(iter(items.get, None))
        ready = crew.context.Event()
        worker = crew.start(take_next, proxy, ready)
        assert ready.wait(10)
        assert wait_until(lambda: bool(items.not_empty._waiters))  # type: ignore[attr-defined]
        assert worker.pid is not None
        kill(worker.pid)
        assert wait_until(lambda: not server.statistics().workers)
        items.put("an item")
        assert wait_until(lambda: not items.not_empty._waiters)  # type: ignore[attr-defined]
        assert items.get(timeout=5) == "an item"
        items.put(None)


def see_errors(desk: Any, answers: Any) -> None:
    with pytest.raises(KeyError) as caught:
        desk.raise_key_error()
    answers.put((caught.value.args, str(caught.value.__cause__)))
    with pytest.raises(Unfit) as unfit:
        desk.raise_what_cannot_travel()
    assert "lock object" in unfit.value.args[0]  # its text: a lock stays where it is
    assert isinstance(unfit.value.__cause__, RemoteTraceback)
    answers.put(str(unfit.value.__cause__))


def test_exceptions_arrive_as_themselves(spawned: Crew) -> None:
    with ProxyServer() as server:
        answers = spawned.context.SimpleQueue()
        spawned.start(see_errors, server.create_proxy(Desk()), answers)
        spawned.join()
        args, cause = answers.get()
        assert args == ("a key", 7)
        assert "in raise_key_error" in cause
        assert "in raise_what_cannot_travel" in answers.get()
        answers.close()
