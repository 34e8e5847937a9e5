"""
The ends of connections from other hosts: killed workers, closed doors, interrupts.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter import locked
from duck_jupyter.errors import (
    KernelGone,
    ProxyError,
    ProxyTimeout,
)
from duck_jupyter.memory.leftovers import sweep
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.server.stream_door import StreamDoor, open_door
from tests.support.far import Elsewhere, Thing, error_of, share
from tests.support.processes import kill, start_python, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from duck_jupyter.client.other_hosts import Way
    from tests.support.workers import Worker

pytestmark = pytest.mark.slow

WAIT_S = 20.0
#: Seconds in which the end of a worker is noticed.
AT_ONCE_S = 1.0
#: The middle call of those to a kernel that computes takes at most this long.
BUSY_S = 0.002
THREADS = 6
CALLS = 200


def hold_lock(d: Any) -> None:
    with locked(d):
        d["held"].set()
        threading.Event().wait(WAIT_S)


def wait_in_queue(items: Any, told: Any) -> None:
    told.set()
    items.get()


def start(worker: Worker, job: Callable[..., Any], *args: Any) -> None:
    """
    Let a worker begin a job that will not end.
    """
    worker._jobs.send((job, args, {}))


def test_a_worker_that_is_killed_inside_locked_frees_the_lock_at_once(
    server: ProxyServer, door: StreamDoor, far_worker: Worker
) -> None:
    d = {"held": threading.Event()}
    proxy = server.create_proxy(d, name="d", max_chain=3)
    start(far_worker, hold_lock, Elsewhere(proxy))
    assert d["held"].wait(WAIT_S)
    with pytest.raises(ProxyTimeout), locked(proxy, timeout=0.05):
        pass
    kill(far_worker.pid)
    began = time.monotonic()
    with locked(proxy, timeout=WAIT_S):
        assert time.monotonic() - began < AT_ONCE_S
    assert wait_until(lambda: not server.connections(), WAIT_S)


def test_a_worker_that_is_killed_inside_a_call_takes_no_item(
    server: ProxyServer, door: StreamDoor, far_worker: Worker
) -> None:
    items: queue.Queue[int] = queue.Queue()
    told = threading.Event()
    start(
        far_worker,
        wait_in_queue,
        share(server, items, "items"),
        share(server, told, "told"),
    )
    assert told.wait(WAIT_S)
    (row,) = server.statistics().workers
    assert row.calling or wait_until(
        lambda: bool(server.statistics().workers[0].calling), WAIT_S
    )
    kill(far_worker.pid)
    assert wait_until(lambda: not server.connections(), WAIT_S)
    items.put(1)
    # The call looks every second whether its client is there.
    assert wait_until(lambda: not items.not_empty._waiters, WAIT_S)  # type: ignore[attr-defined]
    assert items.get(timeout=WAIT_S) == 1


def call_until_it_fails(thing: Any) -> tuple[str, str]:
    try:
        thing.wait()
    except KernelGone as error:
        return type(error).__name__, str(error)
    return "", ""


def test_a_call_ends_when_the_door_closes(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    thing = Thing()

    def close() -> None:
        assert thing.began.wait(WAIT_S)
        door.close()

    closing = threading.Thread(target=close)
    closing.start()
    kind, text = worker.run(call_until_it_fails, share(server, thing))
    closing.join()
    thing.go_on.set()
    assert kind == "KernelGone"
    assert "It may have made this call, or not." in text
    kind, text = worker.run(error_of, len, share(server, [1]))
    assert kind is KernelGone
    assert "cannot be reached" in text


def stop_and_call(moment: str, thing: Any) -> list[str]:
    """
    Interrupt a call with a signal, and call again.
    """
    found = []

    def interrupt(*_: object) -> None:
        raise InterruptedHereError

    before = signal.signal(signal.SIGUSR1, interrupt)

    def end_the_call() -> None:
        thing.began.wait()
        if moment == "while it waits":
            os.kill(os.getpid(), signal.SIGUSR1)
        else:
            # It does not end the wait, as one that comes just before it.
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    timer = threading.Thread(target=end_the_call)
    timer.start()
    try:
        thing.wait()
    except InterruptedHereError:
        found.append("interrupted")
    timer.join()
    signal.signal(signal.SIGUSR1, before)
    thing.numbers["n"]
    found.append(str(len(thing.numbers)))
    return found


class InterruptedHereError(Exception):
    pass


@pytest.mark.parametrize("moment", ["while it waits", "just before it waits"])
def test_an_interrupt_ends_a_call_and_the_next_one_connects_again(
    server: ProxyServer, door: StreamDoor, worker: Worker, moment: str
) -> None:
    thing = Thing()
    shared = share(server, thing)
    assert worker.run(stop_and_call, moment, shared) == ["interrupted", "1"]
    thing.go_on.set()


def time_out(thing: Any) -> list[str]:
    found = []
    link = thing._duck_link
    try:
        link.execute(thing._duck_idx, "wait", timeout=0.1)
    except ProxyTimeout as error:
        found.append(str(error)[:27])
    found.append(str(len(thing.numbers)))
    return found


def test_a_late_answer_is_dropped(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    thing = Thing()
    found = worker.run(time_out, share(server, thing))
    thing.go_on.set()
    assert found == ["No answer came within 0.1 s", "1"]


def call_in_fork(items: Any) -> int:
    items.append(len(items))
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            items.append(len(items))
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    items.append(len(items))
    return len(items)


def test_a_fork_of_a_worker_connects_by_itself(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    items: list[int] = []
    assert worker.run(call_in_fork, share(server, items)) == 3
    assert items == [0, 1, 2]


def test_a_fork_of_the_kernel_keeps_nothing_open(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    assert worker.run(len, share(server, [1])) == 1
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    try:
        door.close()
        assert wait_until(lambda: not is_listened_at(door), WAIT_S)
    finally:
        os.close(write)
        os.waitpid(pid, 0)


def is_listened_at(door: StreamDoor | Way) -> bool:
    try:
        socket.create_connection((door.host, door.port), 1.0).close()
    except OSError:
        return False
    return True


def test_a_server_closes_its_doors(way: tuple[Any, bytes]) -> None:
    with ProxyServer() as server:
        door = open_door(server, "127.0.0.1", way[0])
        assert is_listened_at(door)
    assert wait_until(lambda: not is_listened_at(door), WAIT_S)
    door.close()


# -- a connection that broke, and a server that is there again -----------------------


def reopen(server: ProxyServer, door: StreamDoor) -> None:
    """
    Close a door, and listen at the same port again.
    """
    door.close()
    assert wait_until(lambda: not server.connections(), WAIT_S)
    (way, *_) = server.link.ways
    create = socket.create_server
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            socket,
            "create_server",
            lambda address, **how: create((address[0], way.port), **how),
        )
        open_door(server, door.host, door._context)


def test_a_call_connects_again_where_nothing_was_held(
    server: ProxyServer, door: StreamDoor, worker: Worker
) -> None:
    items = [1]
    proxy = share(server, items)
    assert worker.run(len, proxy) == 1
    reopen(server, door)
    assert worker.run(len, proxy) == 1


def wait_for_reopening(link: Any) -> None:
    """
    Wait until the connection of this thread has ended, and the server listens again.
    """
    assert wait_until(lambda: link.thread.idle[-1].stream.is_left, WAIT_S)
    assert wait_until(lambda: is_listened_at(link.ways[0]), WAIT_S)


def change_in_block(d: Any) -> list[str]:
    found = []
    with contextlib.suppress(ProxyError), locked(d):
        d["first"].set()
        wait_for_reopening(d._duck_link)
        try:
            d["n"] += 1
        except KernelGone as error:
            found.append(str(error))
    d["n"] += 10
    return found


def test_a_block_whose_lock_is_lost_makes_no_call(
    server: ProxyServer, door: StreamDoor, far_worker: Worker
) -> None:
    d: dict[str, Any] = {"n": 0, "first": threading.Event()}
    shared = share(server, d, max_chain=3)

    def act() -> None:
        assert d["first"].wait(WAIT_S)
        # locked, d["first"] and set(), which are counted after their answers are sent.
        assert wait_until(lambda: server.statistics().totals.executes == 3, WAIT_S)
        reopen(server, door)

    acting = threading.Thread(target=act)
    acting.start()
    found = far_worker.run(change_in_block, shared)
    acting.join()
    assert d["n"] == 10
    assert "which was not made" in found[0]
    # What it drops from here on is reported to the server that is there again.
    assert far_worker.run(use_chain, share(server, Thing(), "thing")) == 0
    assert wait_until(lambda: len(server.table.entries) == 3, WAIT_S)


def use_chain(thing: Any) -> int:
    return int(thing.child().numbers["n"])


KERNEL = """
import pickle, sys, threading
from duck_jupyter.client.other_hosts import Way
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.server.stream_door import open_door
from tests.support.far import Elsewhere, Thing, error_of, share

class Slow:
    def wait(self):
        print("called", flush=True)
        threading.Event().wait()

with ProxyServer() as server:
    door = open_door(server, "127.0.0.1", None)
    server.link.ways = (Way(door.host, door.port),)
    print(pickle.dumps(Elsewhere(server.create_proxy(Slow(), name="slow"))).hex())
    sys.stdout.flush()
    sys.stdin.read()
"""


def time_of_end(data: bytes) -> tuple[str, float]:
    slow = pickle.loads(data)
    try:
        slow.wait()
    except KernelGone as error:
        return type(error).__name__, time.time()
    return "", 0.0


def test_a_kernel_that_is_killed_is_gone_at_once(worker: Worker) -> None:
    with start_python(KERNEL) as kernel:
        assert kernel.stdout is not None
        data = bytes.fromhex(kernel.stdout.readline())
        killed_at = []

        def act() -> None:
            assert kernel.stdout is not None
            assert kernel.stdout.readline() == "called\n"
            killed_at.append(time.time())
            kernel.kill()

        acting = threading.Thread(target=act)
        acting.start()
        kind, at = worker.run(time_of_end, data)
        acting.join()
    sweep()  # what the killed kernel has left
    assert kind == "KernelGone"
    assert at - killed_at[0] < AT_ONCE_S
