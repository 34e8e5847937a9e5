"""
A proxy works in a worker however the worker was started, and whenever.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from duck_jupyter.errors import KernelGone, ProxyClosed
from duck_jupyter.proxy import Proxy, ProxyServer
from tests.support.processes import run_python, wait_until

pytestmark = pytest.mark.slow

METHODS = ("fork", "forkserver", "spawn")
JOIN_S = 20.0


class Tally:
    """
    What workers change and read in these tests.
    """

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self.lock = threading.Lock()

    def count(self, name: str) -> int:
        with self.lock:
            self.seen[name] = self.seen.get(name, 0) + 1
            return self.seen[name]


class AVeryLongNameOfATypeThatSomebodyGaveToHisClassBecauseHeLikesLongNames(Tally):
    pass


def count_some(tally: Any, name: str) -> int:
    for _ in range(10):
        tally.count(name)
    return os.getpid()


def count_what_comes(jobs: Any, answers: Any) -> None:
    for proxy, name in iter(jobs.get, None):
        answers.put(proxy.count(name))


def use_and_close(tally: Any, answers: Any) -> None:
    tally.count("worker")
    tally.close()
    tally.close()
    try:
        tally.count("worker")
    except ProxyClosed as error:
        answers.put(str(error))


@pytest.fixture(params=METHODS)
def context(request: pytest.FixtureRequest) -> Any:
    return multiprocessing.get_context(request.param)


def test_a_process_gets_a_proxy_as_an_argument(
    server: ProxyServer, context: Any
) -> None:
    tally = Tally()
    proxy = server.create_proxy(tally)
    workers = [
        context.Process(target=count_some, args=(proxy, "worker")) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(JOIN_S)
        assert worker.exitcode == 0
    assert tally.seen == {"worker": 20}


def test_a_pool_gets_proxies_made_after_its_workers_were_started(
    server: ProxyServer, context: Any
) -> None:
    tally = Tally()
    with context.Pool(2) as pool:
        pool.map(abs, range(4))
        proxy = server.create_proxy(tally)
        pids = pool.starmap(count_some, [(proxy, "pool")] * 4, chunksize=1)
        pool.close()
        pool.join()
    assert os.getpid() not in pids
    assert tally.seen == {"pool": 40}


def test_a_worker_started_before_the_server_finds_it(context: Any) -> None:
    jobs, answers = context.Queue(), context.Queue()
    worker = context.Process(target=count_what_comes, args=(jobs, answers))
    worker.start()
    # Two servers, one after the other: a worker keeps no memory of the first.
    for _ in range(2):
        with ProxyServer() as server:
            jobs.put((server.create_proxy(Tally()), "x"))
            assert answers.get(timeout=JOIN_S) == 1
    jobs.put(None)
    worker.join(JOIN_S)
    assert worker.exitcode == 0
    for queue in (jobs, answers):
        queue.close()
        queue.join_thread()


def test_closing_a_proxy_in_a_worker_destroys_nothing_for_others(
    server: ProxyServer,
) -> None:
    context = multiprocessing.get_context("fork")
    tally = Tally()
    proxy = server.create_proxy(tally)
    answers = context.SimpleQueue()
    worker = context.Process(target=use_and_close, args=(proxy, answers))
    worker.start()
    worker.join(JOIN_S)
    assert "closed in this process" in answers.get()
    answers.close()
    assert proxy.count("worker") == 2


def test_a_proxy_pickles_to_at_most_400_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / ("long-" * 20)
        long.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(long))
        target = AVeryLongNameOfATypeThatSomebodyGaveToHisClassBecauseHeLikesLongNames()
        with ProxyServer() as server:
            proxy = server.create_proxy(target, name="n" * 200)
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
                assert len(pickle.dumps(proxy, protocol)) <= 400


def test_the_same_object_gives_an_equal_proxy(server: ProxyServer) -> None:
    tally = Tally()
    first, second = server.create_proxy(tally), server.create_proxy(tally)
    assert isinstance(second, Proxy)
    assert pickle.dumps(first) == pickle.dumps(second)
    assert len(server.table.entries) == 1


def test_run_unthreaded_serves_in_the_calling_thread_until_close() -> None:
    context = multiprocessing.get_context("fork")
    server = ProxyServer()

    class Witness:
        @property
        def who(self) -> str:
            return threading.current_thread().name

    serving = threading.Thread(
        target=lambda: server.run(threaded=False), name="the calling thread"
    )
    serving.start()
    assert wait_until(lambda: server.running)
    proxy = server.create_proxy(Witness())
    worker = context.Process(target=call_who, args=(proxy,))
    worker.start()
    worker.join(JOIN_S)
    assert worker.exitcode == 0
    assert serving.is_alive()
    server.close()
    serving.join(JOIN_S)
    assert not serving.is_alive()


def call_who(witness: Any) -> None:
    # Any thread of the server may answer a call; this one is among them.
    assert wait_until(lambda: witness.who == "the calling thread")


def test_a_server_is_a_context_manager_and_closes_twice() -> None:
    with ProxyServer() as server:
        proxy = server.create_proxy(Tally())
        assert server.running
        data = pickle.dumps(proxy)
    assert not server.running
    server.close()
    with pytest.raises(ProxyClosed):
        server.run()
    with pytest.raises(ProxyClosed):
        server.create_proxy(Tally())
    with pytest.raises((ProxyClosed, KernelGone)):
        pickle.loads(data).count("late")


def test_a_script_on_spawn_leaves_nothing_behind_and_says_nothing(
    tmp_path: Path,
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = run_python(f"import runpy; runpy.run_path({str(script)!r})")
    assert done.returncode == 0, done.stderr
    done = run_python(
        "import subprocess, sys; sys.exit(subprocess.run("
        f"[sys.executable, '-W', 'error', {str(script)!r}]).returncode)"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["caught", "cause", "10"]
    assert done.stderr == ""


SCRIPT = """
import multiprocessing
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.errors import RemoteTraceback

class Mine(Exception):
    def __init__(self, code, text):
        super().__init__(code, text)
        self.code = code

class Bank:
    value = 0
    def pay(self, n):
        if n > 9:
            raise Mine(n, "too much")
        self.value += n
        return self.value

def work(bank):
    bank.pay(1)
    bank.get_shared_memory().close()
    try:
        bank.pay(10)
    except Mine as error:
        assert error.code == 10
        print("caught", flush=True)
        cause = error.__cause__
        if isinstance(cause, RemoteTraceback) and "in pay" in str(cause):
            print("cause", flush=True)
    bank.pay(9)

if __name__ == "__main__":
    bank = Bank()
    with ProxyServer() as server:
        process = multiprocessing.get_context("spawn").Process(
            target=work, args=(server.create_proxy(bank),)
        )
        process.start()
        process.join()
    print(bank.value)
"""
