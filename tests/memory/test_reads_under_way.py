"""
Pages are trusted only when no thread may still be reading into them.
"""

from __future__ import annotations

import fcntl
import math
import os
import select
import signal
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from duck_jupyter.memory.dirty_tracker import PageNotes, Watcher, notes
from duck_jupyter.memory.reads_under_way import ReadsUnderWay, is_forked
from duck_jupyter.memory.userfaultfd import PageRange, pages_within
from tests.memory.watched import (
    ask,
    is_at_rest,
    is_edges,
    make_array,
    spans_of,
    suspected,
)
from tests.support.parked import DEADLINE_S, number_of, parked
from tests.support.processes import start_python, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.uint8]

#: For so long it is watched that something does not happen.
NEVER_S = 0.4
FAR = 3 << 20
SIZE = 4 << 20


class Channel(NamedTuple):
    """
    Two sockets and a pipe, each with nothing to read.
    """

    here: socket.socket
    there: socket.socket
    source: int
    target: int


@contextmanager
def open_channel() -> Iterator[Channel]:
    """
    Open a channel.
    """
    here, there = socket.socketpair()
    source, target = os.pipe()
    with here, there:
        yield Channel(here, there, source, target)
    os.close(source)
    os.close(target)


@pytest.fixture
def channel() -> Iterator[Channel]:
    """
    What a thread waits for.
    """
    with open_channel() as opened:
        yield opened


@pytest.fixture
def array() -> Array:
    """
    Memory to read into.
    """
    return make_array(SIZE)


def reads_into(array: Array) -> ReadsUnderWay:
    """
    Ask for the reads into the pages of an array.
    """
    return ReadsUnderWay([pages_within(*spans_of(array)[0])])


def is_quiet(reads: ReadsUnderWay) -> bool:
    """
    Tell whether all reads that began before now are seen to have ended.
    """
    now = time.monotonic()
    return reads.look(now) >= now


def comes_to_rest(reads: ReadsUnderWay, deadline: float = DEADLINE_S) -> bool:
    """
    Tell whether it is quiet in time.
    """
    return wait_until(lambda: is_quiet(reads), deadline)


def test_it_is_quiet_where_nobody_reads(array: Array) -> None:
    assert comes_to_rest(reads_into(array))


def poll(channel: Channel) -> object:
    poller = select.poll()
    poller.register(channel.source, select.POLLIN)
    return poller.poll()


def wait_with_epoll(channel: Channel) -> object:
    with select.epoll() as poller:
        poller.register(channel.source, select.EPOLLIN)
        return poller.poll()


@pytest.mark.parametrize(
    "wait",
    [
        poll,
        wait_with_epoll,
        pytest.param(lambda c: select.select([c.source], [], []), id="select"),
        pytest.param(lambda c: os.read(c.source, 100), id="read elsewhere"),
        pytest.param(lambda c: c.here.recv(100), id="receive elsewhere"),
    ],
)
def test_a_thread_that_waits_for_data_is_in_no_read(
    array: Array, channel: Channel, wait: Callable[[Channel], object]
) -> None:
    def release() -> None:
        os.write(channel.target, b"x")
        channel.there.send(b"x")

    with parked(lambda: wait(channel), release):
        assert comes_to_rest(reads_into(array))


def test_a_thread_that_writes_is_in_no_read(array: Array, channel: Channel) -> None:
    size = 1 << 20

    def release() -> None:
        left = size
        while left:
            left -= len(os.read(channel.source, left))

    with parked(lambda: os.write(channel.target, bytes(size)), release):
        assert comes_to_rest(reads_into(array))


def test_a_thread_that_waits_for_a_lock_is_in_no_read(array: Array) -> None:
    lock = threading.Lock()
    lock.acquire()
    with parked(lambda: lock.acquire(), lock.release, in_lock=True):
        assert comes_to_rest(reads_into(array))


def test_a_thread_that_waits_for_a_process_is_in_no_read(array: Array) -> None:
    process = start_python("input()")
    assert process.stdin
    with process, parked(process.wait, process.stdin.close):
        assert comes_to_rest(reads_into(array))


def test_a_thread_that_waits_for_a_client_is_in_no_read(array: Array) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def release() -> None:
            socket.create_connection(server.getsockname()).close()

        with parked(lambda: server.accept()[0].close(), release):
            assert comes_to_rest(reads_into(array))


def test_a_thread_that_waits_for_a_signal_is_in_no_read(array: Array) -> None:
    waiting: list[int] = []

    def wait() -> None:
        # Only here: the signal is sent to this thread.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        waiting.append(threading.get_ident())
        signal.sigwait([signal.SIGUSR1])

    with parked(wait, lambda: signal.pthread_kill(waiting[0], signal.SIGUSR1)):
        assert comes_to_rest(reads_into(array))


def test_a_thread_that_waits_for_a_locked_file_is_in_no_read(
    array: Array, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    with path.open("w") as held, path.open("w") as wanted:
        fcntl.flock(held, fcntl.LOCK_EX)
        with parked(
            lambda: fcntl.flock(wanted, fcntl.LOCK_EX),
            lambda: fcntl.flock(held, fcntl.LOCK_UN),
        ):
            assert comes_to_rest(reads_into(array))


def test_a_thread_that_computes_in_python_is_in_no_read(array: Array) -> None:
    ended = False

    def compute() -> None:
        while not ended:
            pass

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        assert comes_to_rest(reads_into(array))
    finally:
        ended = True
        thread.join()


def read_unbuffered(source: int, part: memoryview) -> object:
    """
    Read through a file object, which uses the plainest system call.
    """
    with open(source, "rb", 0, closefd=False) as file:
        return file.readinto(part)


READS = [
    pytest.param(lambda c, part: os.readv(c.source, [part]), id="readv"),
    pytest.param(lambda c, part: c.here.recv_into(part), id="recv_into"),
    pytest.param(lambda c, part: c.here.recvmsg_into([part]), id="recvmsg_into"),
    pytest.param(lambda c, part: read_unbuffered(c.source, part), id="readinto"),
]


@pytest.mark.parametrize("read", READS)
def test_a_thread_that_reads_into_the_pages_is_seen(
    array: Array, channel: Channel, read: Callable[[Channel, memoryview], object]
) -> None:
    reads, part = reads_into(array), array.data[FAR : FAR + 100]

    def release() -> None:
        os.write(channel.target, b"x")
        channel.there.send(b"x")

    with parked(lambda: read(channel, part), release):
        assert not comes_to_rest(reads, NEVER_S)
        # What began after some time says nothing of what began before it.
        before = time.monotonic()
        assert reads.look(before) < before
    assert comes_to_rest(reads)


@pytest.mark.parametrize("read", READS)
def test_what_a_thread_reads_into_is_compared_until_it_has_read(
    array: Array, channel: Channel, read: Callable[[Channel, memoryview], object]
) -> None:
    watcher = Watcher(notes)

    def release() -> None:
        os.write(channel.target, b"x")
        channel.there.send(b"x")

    with parked(lambda: read(channel, array.data[FAR : FAR + 100]), release):
        never = not wait_until(lambda: is_edges(ask(watcher, array)), NEVER_S)
        assert never
        assert suspected(watcher, array)(FAR)
    assert suspected(watcher, array)(FAR)
    assert is_at_rest(watcher, array)


def test_a_call_that_is_not_known_may_be_a_read(array: Array, channel: Channel) -> None:
    with (
        open_channel() as other,
        parked(
            lambda: os.splice(channel.source, other.target, 100),
            lambda: os.write(channel.target, b"x"),
        ),
    ):
        assert not comes_to_rest(reads_into(array), NEVER_S)


def test_threads_that_come_and_go_hide_no_thread(
    array: Array, channel: Channel
) -> None:
    reads, ended = reads_into(array), threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            threads = [threading.Thread(target=int) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    others = [threading.Thread(target=come_and_go) for _ in range(2)]
    with parked(
        lambda: os.readv(channel.source, [array.data[FAR : FAR + 100]]),
        lambda: os.write(channel.target, b"x"),
    ):
        for thread in others:
            thread.start()
        try:
            assert not any(is_quiet(reads) for _ in range(300))
        finally:
            ended.set()
            for thread in others:
                thread.join()


PAGES = PageRange(0x7F0000000000, 0x7F0000100000)
READ = "0" if number_of("futex") == "202" else "63"
REST = "0x0 0x0 0x0 0x7ffc0532f498 0x7f34b5e342ad"


def show(folder: Path, thread: str, call: str) -> None:
    """
    Write what the kernel would show of a thread.
    """
    (folder / thread).mkdir(exist_ok=True)
    (folder / thread / "syscall").write_text(call + "\n")


@pytest.mark.parametrize(
    ("call", "is_outside"),
    [
        (f"{number_of('futex')} 0x7f34b5e00000 0x189 0x0 {REST}", True),
        ("-1 0x7ffc0532f498 0x7f34b5e342ad", True),
        (f"{READ} 0x3 0x7effffff0000 0x10000 {REST}", True),
        (f"{READ} 0x3 0x7f0000100000 0x10000 {REST}", True),
        (f"{READ} 0x3 0x7effffff0000 0x10001 {REST}", False),
        (f"{READ} 0x3 0x7f00000fffff 0x1 {REST}", False),
        (f"1000 0x3 0x0 0x0 {REST}", False),
        ("running", False),
        ("", False),
        # As threads of the kernel's rings show what their maker did.
        (f"{number_of('futex')} 0x7f34b5e00000 0x189 0x0 0x0 0x0 0x0 0x0 0x0", False),
        ("-1 0x0 0x0", False),
    ],
)
def test_what_the_kernel_shows_of_a_thread(
    tmp_path: Path, call: str, is_outside: bool
) -> None:
    show(tmp_path, "1", call)
    show(tmp_path, "2", f"{number_of('futex')} 0x0 0x0 0x0 {REST}")
    assert is_quiet(ReadsUnderWay([PAGES], str(tmp_path))) is is_outside


def test_each_thread_may_be_seen_outside_at_another_time(tmp_path: Path) -> None:
    waits = f"{number_of('futex')} 0x0 0x0 0x0 {REST}"
    reads = ReadsUnderWay([PAGES], str(tmp_path))
    since = time.monotonic()
    show(tmp_path, "1", "running")
    show(tmp_path, "2", waits)
    assert reads.look(since) == -math.inf
    show(tmp_path, "1", waits)
    show(tmp_path, "2", "running")
    assert reads.look(since) >= since
    assert not is_quiet(reads)


def test_where_no_thread_is_shown_nothing_is_known(tmp_path: Path) -> None:
    assert reads_of_none(tmp_path) == -math.inf
    with pytest.raises(FileNotFoundError):
        reads_of_none(tmp_path / "missing")


def reads_of_none(folder: Path) -> float:
    return ReadsUnderWay([PAGES], str(folder)).look(0.0)


def test_a_system_that_shows_no_threads_goes_on_comparing(tmp_path: Path) -> None:
    watcher, array = Watcher(PageNotes(threads=str(tmp_path / "missing"))), make_array()
    for _ in range(20):
        assert ask(watcher, array) is None
    assert not watcher.is_watching


def test_a_fork_is_told_from_a_program_that_was_started() -> None:
    assert not is_forked()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if is_forked() else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
