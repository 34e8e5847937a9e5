"""
Nothing is kept for nobody: not an object, not a descriptor, not a block.
"""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import ProxyObjectNotFound
from tests.support.processes import kill, run_python, wait_until

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.processes.conftest import Crew

pytestmark = pytest.mark.slow


class Part:
    def __init__(self, name: str) -> None:
        self.name = name


class Whole:
    def part(self, name: str) -> Part:
        return Part(name)

    def parts(self, count: int) -> list[Part]:
        return [Part(str(number)) for number in range(count)]

    def numbers(self) -> Any:
        yield from range(1000)


def live_objects(server: ProxyServer) -> int:
    return len(server.table.entries)


def hold_and_drop(whole: Any, step: Any) -> None:
    held = [*whole.parts(1500), whole.part("one"), {"deep": [whole.part("in")]}]
    iterator = iter(whole.numbers())
    assert next(iterator) == 0
    step.wait(10)
    del held, iterator
    gc.collect()
    step.wait(10)
    step.wait(10)


def test_chained_objects_are_forgotten_when_no_process_holds_them(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(Whole())
    step = crew.context.Barrier(2)
    crew.start(hold_and_drop, proxy, step)
    step.wait(10)
    assert live_objects(server) >= 1503
    step.wait(10)
    # While the process lives on.
    assert wait_until(lambda: live_objects(server) == 1)
    step.wait(10)
    crew.join()


def hold(whole: Any, held: Any) -> None:
    parts = [whole.part("a"), *whole.parts(20)]
    held.set()
    threading.Event().wait()
    assert parts


def test_chained_objects_are_forgotten_when_their_holder_is_killed(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(Whole())
    held = crew.context.Event()
    holder = crew.start(hold, proxy, held)
    assert held.wait(10)
    assert live_objects(server) == 22
    assert holder.pid is not None
    kill(holder.pid)
    assert wait_until(lambda: live_objects(server) == 1, 2.0)


def detach_and_go_on(whole: Any, answers: Any) -> None:
    part = whole.part("kept")
    # Leaving detaches this process; what it holds stays its own.
    with whole as same:
        assert same.part("x").name == "x"
    answers.put(part.name)


def test_a_process_that_detaches_keeps_what_it_holds(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    for _ in range(5):
        crew.start(detach_and_go_on, server.create_proxy(Whole()), answers)
        crew.join()
        assert answers.get() == "kept"
    answers.close()


def give(whole: Any, parts: Any, taken: Any) -> None:
    parts.put(whole.part("from A"))
    assert taken.wait(10)


def take(parts: Any, taken: Any, go_on: Any, answers: Any) -> None:
    part = parts.get()
    assert part.name == "from A"
    taken.set()
    assert go_on.wait(10)
    answers.put(part.name)


def test_a_chained_proxy_survives_the_worker_that_sent_it(
    server: ProxyServer, spawned: Crew
) -> None:
    context = spawned.context
    parts, answers = context.Queue(), context.SimpleQueue()
    taken, go_on = context.Event(), context.Event()
    giver = spawned.start(give, server.create_proxy(Whole()), parts, taken)
    spawned.start(take, parts, taken, go_on, answers)
    giver.join(20)
    assert wait_until(lambda: len(server.statistics().workers) == 1)
    go_on.set()
    spawned.join()
    assert answers.get() == "from A"
    assert wait_until(lambda: live_objects(server) == 1)
    parts.close()
    parts.join_thread()
    answers.close()


def fork_in_a_worker(whole: Any, answers: Any) -> None:
    part = whole.part("shared")
    assert part.name == "shared"
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            answers.put((whole.part("of the child").name, part.name))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    # What the child inherited was not its to give back.
    answers.put((whole.part("of the parent").name, part.name))


def test_a_forked_child_of_a_worker_is_a_worker_of_its_own(
    server: ProxyServer, crew: Crew
) -> None:
    answers = crew.context.SimpleQueue()
    crew.start(fork_in_a_worker, server.create_proxy(Whole()), answers)
    crew.join()
    assert answers.get() == ("of the child", "shared")
    assert answers.get() == ("of the parent", "shared")
    assert wait_until(lambda: live_objects(server) == 1)
    answers.close()


def use_unshared(whole: Any, answers: Any) -> None:
    with pytest.raises(ProxyObjectNotFound) as caught:
        whole.part("x")
    answers.put(str(caught.value))


def test_an_unshared_object_is_found_no_more(server: ProxyServer, crew: Crew) -> None:
    answers = crew.context.SimpleQueue()
    proxy = server.create_proxy(Whole())
    server.remove_proxy(proxy)
    crew.start(use_unshared, proxy, answers)
    crew.join()
    assert "unshared" in answers.get()
    answers.close()


MANY = """
import multiprocessing, os, pickle, resource, threading
from duck_jupyter.proxy import ProxyServer

resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))

class Item:
    def __init__(self, number):
        self.number = number
    def double(self):
        return 2 * self.number

def count_fds():
    return len(os.listdir("/dev/fd"))

def work(proxies):
    before = count_fds()
    assert sum(proxy.double() for proxy in proxies) == sum(range(10_000)) * 2
    assert count_fds() - before < 10
    threads = [threading.Thread(target=proxies[7].double) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

if __name__ == "__main__":
    with ProxyServer() as server:
        first = server.create_proxy(Item(-1))
        before = count_fds()
        proxies = [server.create_proxy(Item(n)) for n in range(10_000)]
        assert count_fds() == before
        context = multiprocessing.get_context("{method}")
        workers = [context.Process(target=work, args=(proxies,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0]
    print("well")
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_ten_thousand_objects_take_no_descriptors(tmp_path: Any, method: str) -> None:
    script = tmp_path / "many.py"
    script.write_text(MANY.replace("{method}", method))
    done = run_python(
        "import subprocess, sys; sys.exit(subprocess.run("
        f"[sys.executable, {str(script)!r}]).returncode)"
    )
    assert (done.stdout, done.stderr, done.returncode) == ("well\n", "", 0)


def test_descriptors_and_threads_go_with_their_workers(
    server: ProxyServer, crew: Crew
) -> None:
    proxy = server.create_proxy(Whole())
    before = count_descriptors()
    for _ in range(30):
        crew.start(call_a_part, proxy)
    crew.join()
    for worker in crew.workers:
        worker.close()
    crew.workers.clear()
    assert wait_until(lambda: count_descriptors() <= before)
    names = [thread.name for thread in threading.enumerate()]
    assert len([name for name in names if name.startswith("duck-")]) < 10


def count_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def call_a_part(whole: Any) -> None:
    assert whole.part("x").name == "x"
