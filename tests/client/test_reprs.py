"""
How a proxy is shown: its object's text, and one line that comes soon and always.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import psutil
import pytest

from duck_jupyter.errors import KernelGone, ProxyClosed
from duck_jupyter.proxy import ProxyServer
from tests.support.objects import Plain, Tally
from tests.support.processes import wait_until
from tests.support.raw import far

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from duck_jupyter.proxy import Proxy
    from tests.support.workers import Worker


class Text(str):
    """
    A text of a class of its own.
    """


class Named:
    """
    Has a text for people and one for programmers.
    """

    def __str__(self) -> str:
        return Text("a name")

    def __repr__(self) -> str:
        return "Named()"


@pytest.mark.parametrize(
    "target",
    [
        {"a": 3},
        [1, "x"],
        pd.DataFrame({"a": [1, 2]}),
        Named(),
        Decimal("1.50"),
        "text\n",
        2.5,
    ],
    ids=lambda target: type(target).__name__,
)
@pytest.mark.parametrize("settings", [{}, {"readonly": True}, {"allow": []}])
def test_its_text_is_that_of_its_object(
    server: ProxyServer, worker: Worker, target: Any, settings: dict[str, Any]
) -> None:
    proxy = server.create_proxy(target, **settings)
    texts = str(target), f"{target}", f"{target!s:>20}"
    code = "str(p), f'{p}', f'{p!s:>20}'"

    assert worker.eval(code, p=proxy) == texts
    assert (str(proxy), f"{proxy}", f"{proxy!s:>20}") == texts


def test_a_format_is_that_of_its_object(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(2.5)
    assert worker.eval("f'{p:.2f}'", p=proxy) == f"{proxy:.2f}" == "2.50"


def test_what_its_text_raises_comes_to_whoever_prints(
    server: ProxyServer, worker: Worker
) -> None:
    class Mute:
        def __str__(self) -> str:
            raise ZeroDivisionError("no text")

    proxy = server.create_proxy(Mute())
    with pytest.raises(ZeroDivisionError):
        worker.eval("str(p)", p=proxy)
    with pytest.raises(ZeroDivisionError):
        str(proxy)
    assert repr(proxy) == "<proxy>-1 Mute"


def test_the_line_says_what_it_stands_for(server: ProxyServer, worker: Worker) -> None:
    frame = pd.DataFrame({"a": range(2000), "b": 1})
    holder = server.create_proxy(Plain(frame=frame))
    line = "<proxy>-2 DataFrame, 2,000 rows × 2 columns, level 1"  # noqa: RUF001

    assert wait_until(lambda: worker.eval("repr(p.frame)", p=holder) == line)
    results = server.create_proxy({"a": 3, "duck": 2})
    line = f"<proxy>-{results._duck_idx} dict {{'a': 3, 'duck': 2}}"
    assert wait_until(lambda: repr(results) == line)
    assert wait_until(lambda: worker.eval("repr(p)", p=results) == line)


def test_the_line_is_of_the_object_that_is_shared_now(server: ProxyServer) -> None:
    proxy = server.create_proxy([1], name="x")
    server.retarget(proxy, "text")
    assert wait_until(lambda: repr(proxy) == "<proxy>-1 str 'text'")


def test_nothing_is_logged_of_a_line_that_has_no_object(server: ProxyServer) -> None:
    proxy = server.create_proxy([1])
    with far(proxy) as remote:
        server.remove_proxy(proxy)
        assert repr(remote) == repr(proxy) == "<proxy>-1 list (no longer shared)"
    assert not server.statistics().errors


def test_codes_for_a_terminal_are_escaped_in_the_line(server: ProxyServer) -> None:
    code = "\x1b]0;owned\x07"
    kind = type(code, (), {"__repr__": lambda self: code})
    proxy = server.create_proxy(kind(), name=code)
    lines = [repr(proxy)]
    server.remove_proxy(proxy)
    for line in (*lines, repr(proxy)):
        assert r"\x1b]0;owned\x07" in line
        assert line.isprintable()


def test_a_closed_proxy_has_a_line_and_no_text(server: ProxyServer) -> None:
    with far(server.create_proxy([1])) as remote:
        remote.close()
        assert repr(remote) == "<closed proxy>"
        with pytest.raises(ProxyClosed):
            str(remote)


def test_an_object_that_takes_its_time_is_named_by_its_type(
    server: ProxyServer,
) -> None:
    may = threading.Event()

    class Slow:
        def __repr__(self) -> str:
            may.wait()
            return "Slow()"

    proxy = server.create_proxy(Slow())
    with far(proxy) as remote:
        try:
            for line in (repr(remote), repr(proxy)):
                assert line.startswith("<proxy>-1 Slow")
                assert "Slow()" not in line
        finally:
            may.set()
        assert wait_until(lambda: repr(remote) == "<proxy>-1 Slow()")


def serve(said: Connection) -> None:
    """
    Share a counter and a lock in a process of its own, until it is told to end.
    """
    with ProxyServer() as server:
        proxies = server.create_proxy(Tally()), server.create_proxy(threading.Lock())
        said.send(pickle.dumps(proxies))
        said.recv()


class Kernel:
    """
    A process that shares a counter and a lock.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._near, far_end = context.Pipe()
        self._process = context.Process(target=serve, args=(far_end,), daemon=True)
        self._process.start()
        far_end.close()
        self.tally: Proxy
        self.lock: Proxy
        self.tally, self.lock = pickle.loads(self._near.recv())

    def stop(self) -> None:
        """
        Let the process do nothing until it is to go on.
        """
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        process = psutil.Process(self._process.pid)
        assert wait_until(lambda: process.status() == psutil.STATUS_STOPPED)

    def go_on(self) -> None:
        """
        End what `stop` began.
        """
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def end(self) -> None:
        """
        Let the process end. Twice is fine.
        """
        if self._process.is_alive():
            self.go_on()
            self._near.send("end")
        self._process.join()
        self._near.close()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """
    A kernel, which ends with the test.
    """
    kernel = Kernel()
    yield kernel
    kernel.end()


LATE = "(no answer within 0.3 s)"


@pytest.mark.slow
def test_a_kernel_that_does_not_answer_is_not_waited_for(kernel: Kernel) -> None:
    with far(kernel.tally) as proxy, far(kernel.tally) as other:
        assert proxy.count() == 1
        kernel.stop()
        # With a lane, again, and with none.
        for each in (proxy, proxy, other):
            assert repr(each) == f"<proxy>-1 Tally {LATE}"
        kernel.go_on()
        assert wait_until(lambda: repr(proxy) == "<proxy>-1 Tally")
        assert wait_until(lambda: repr(other) == "<proxy>-1 Tally")
        assert proxy.count() == 2


@pytest.mark.slow
def test_a_lock_stays_held_while_a_line_is_late(kernel: Kernel) -> None:
    with far(kernel.lock) as lock, far(kernel.lock) as other:
        assert lock.acquire()
        kernel.stop()
        assert LATE in repr(lock)
        kernel.go_on()
        assert wait_until(lambda: LATE not in repr(lock))
        assert other.locked()
        lock.release()


@pytest.mark.slow
def test_a_kernel_that_has_ended_is_said_to_have(kernel: Kernel) -> None:
    with far(kernel.tally) as proxy, far(kernel.tally) as late:
        assert proxy.count() == late.count() - 1 == 1
        kernel.stop()
        assert LATE in repr(late)
        kernel.end()
        for each in (proxy, late):
            assert repr(each) == "<proxy>-1 Tally (its kernel has ended)"
        with pytest.raises(KernelGone):
            str(proxy)
