"""
What a server counts, and what it says of its workers, errors and chains.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from duck_jupyter.client.fetching import fetch
from duck_jupyter.client.references import ref
from duck_jupyter.errors import (
    AccessDenied,
    DataEncodeError,
    LimitedProxyChaining,
    ProxyObjectNotFound,
)
from duck_jupyter.stats.rows import ServerStatistics
from tests.support.counting import statistics_after
from tests.support.objects import Chain, Plain, Tally
from tests.support.processes import wait_until
from tests.support.workers import Worker

if TYPE_CHECKING:
    from duck_jupyter.proxy import Proxy, ProxyServer


def is_frozen(value: Any) -> bool:
    """
    Tell whether a value is made of what cannot change.
    """
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        return config.frozen and is_frozen(msgspec.structs.astuple(value))
    if isinstance(value, tuple):
        return all(map(is_frozen, value))
    return value is None or isinstance(value, (str, int, float, bool))


def test_frames_are_counted_by_opcode(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Tally())
    code = """
for n in range(20):
    p.value = n
for n in range(30):
    p.value
for n in range(50):
    p.add(1, 2)
"""
    worker.exec(code, p=proxy)

    found = statistics_after(server, 101)
    assert (found.totals.sets, found.totals.gets, found.totals.executes) == (20, 31, 50)
    (row,), (process,), totals = found.proxies, found.workers, found.totals
    assert (row.sets, row.gets, row.executes, row.calls) == (20, 31, 50, 101)
    assert (row.bytes_in, row.bytes_out) == (totals.bytes_in, totals.bytes_out)
    assert (row.last, row.peak) == (totals.last, totals.peak)
    assert process.calls == totals.calls == 101
    assert (process.bytes_in, process.bytes_out) == (row.bytes_in, row.bytes_out)


@pytest.mark.slow
def test_every_call_is_in_the_histogram(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Tally())
    worker.exec("for n in range(6400): p.value", p=proxy)

    found = statistics_after(server, 6400)
    # One in 64 of those that need not wait is measured, and stands for 64: the more of
    # them wait, the more depends on which are measured.
    assert 4800 <= sum(found.totals.latency) <= 8000
    assert found.latency_p50_s is not None
    assert found.latency_p99_s is not None
    assert 0 < found.latency_p50_s <= found.latency_p99_s < 1


def test_bytes_are_counted_each_way(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Plain(long="x" * 10_000, short="y"), bufsize=400)
    worker.exec("p.long; p.short; p.long = 'z' * 300", p=proxy)

    totals = statistics_after(server, 3).totals
    assert 300 < totals.bytes_in < 500
    assert 10_000 < totals.bytes_out < 10_200
    # One answer was larger than the buffer: it fills none.
    assert totals.beside == 1
    assert 300 < totals.peak < 400

    def last() -> int:
        return server.statistics().proxies[0].last

    # The thread has changed to a larger buffer; its first lane may not be gone yet.
    assert wait_until(lambda: 300 < last() < 400)
    assert server.statistics().proxies[0].bufsize == 400


@pytest.mark.slow
def test_a_buffer_is_as_full_as_those_who_call_make_it(
    server: ProxyServer, worker: Worker
) -> None:
    """
    However much those sent who are gone.
    """
    proxy = server.create_proxy(Plain(long=""))
    with closing(Worker()) as earlier:
        earlier.exec("p.long = 'z' * 150", p=proxy)
    # Its call may be counted after its answer has gone, and after itself.
    assert statistics_after(server, 1).proxies[0].last > 150
    assert wait_until(lambda: server.statistics().workers == ())

    worker.exec("p.long = 'z' * 50", p=proxy)
    row = server.statistics().proxies[0]
    assert 50 < row.last < 150 < row.peak


def test_errors_fill_no_buffer(server: ProxyServer, worker: Worker) -> None:
    """
    A traceback is larger than what an object's values need.
    """
    proxy = server.create_proxy({"known": 1}, bufsize=512)
    worker.exec("p['known']", p=proxy)
    before = statistics_after(server, 1).proxies[0]
    with pytest.raises(KeyError):
        worker.exec("p['lost' * 30]", p=proxy)
    row = statistics_after(server, 2).proxies[0]
    assert before.peak < row.peak == row.last < 300
    assert row.beside == 0
    assert row.bytes_out > before.bytes_out + 300


def test_a_proxy_is_described(server: ProxyServer, worker: Worker) -> None:
    shared = server.create_proxy([Chain()], name="chains", readonly=True, max_chain=3)
    held = worker.eval("p[0].next", p=shared)
    first, last = server.statistics().proxies[0], server.statistics().proxies[-1]

    assert (first.path, first.root, first.type) == ("chains", "chains", "list")
    assert (first.level, first.max_level, first.mode) == (0, 3, "read-only")
    assert (last.path, last.root, last.level) == ("chains[].next", "chains", 2)
    assert last.idx == held._duck_idx
    assert first.pids == (worker.pid,)
    assert server.statistics().time >= first.since >= server.statistics().since


def test_a_connected_worker_is_described(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Tally())
    worker.exec("p.count()", p=proxy)

    (found,) = server.statistics().workers
    assert (found.pid, found.name) == (worker.pid, "test-worker")
    assert found.threads == 1
    assert 0 <= found.waiting_share <= 1
    assert found.calling == ()
    assert server.statistics().memory.ours > 0


def test_the_object_that_a_worker_calls_is_named(
    server: ProxyServer, worker: Worker
) -> None:
    class Looking:
        def look(self) -> tuple[str, ...]:
            return server.statistics().workers[0].calling

    proxy = server.create_proxy(Looking(), name="looking")

    assert worker.eval("p.look()", p=proxy) == ("looking",)


def test_threads_of_a_worker_are_counted(server: ProxyServer, worker: Worker) -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
barrier = threading.Barrier(3)
def work(n):
    barrier.wait(10)
    p.add(n)
    barrier.wait(10)
    return p.threads()
with ThreadPoolExecutor(3) as pool:
    result = list(pool.map(work, range(3)))
p.add(1)
"""

    class Counting(Tally):
        def threads(self) -> int:
            return server.statistics().workers[0].threads

    proxy = server.create_proxy(Counting())

    assert worker.exec(code, p=proxy) == [3, 3, 3]
    # Each may ask once more what is a method; what is called is called seven times.
    assert wait_until(lambda: server.statistics().totals.executes == 7)
    # Those of threads that have ended are counted, and are connected no longer.
    assert wait_until(lambda: server.statistics().workers[0].threads == 1)


def fail_often(worker: Worker, proxy: Proxy, times: int) -> None:
    """
    Have a worker call what fails.
    """
    code = """
for n in range(times):
    try:
        p.fail(CustomError, "number", n)
    except CustomError:
        pass
"""
    worker.exec(code, p=proxy, times=times)


def test_the_last_200_errors_are_kept(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Tally(), name="tally")
    fail_often(worker, proxy, 250)

    found = server.statistics()
    assert len(found.errors) == 200
    assert found.errors_by_type == (("CustomError", 250),)
    last = found.errors[-1]
    assert (last.type, last.message) == ("CustomError", "number")
    assert (last.object, last.asked) == ("tally", "fail")
    assert (last.pid, last.worker) == (worker.pid, "test-worker")
    assert "raise kind(*args)" in last.traceback
    assert found.since <= last.time <= found.time
    assert found.proxies[0].last_error == "CustomError: number"


def test_errors_of_one_kind_are_one_group(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Tally(), name="tally")
    fail_often(worker, proxy, 5)
    with pytest.raises(KeyError):
        worker.eval("p.fail(KeyError, 'k')", p=proxy)

    first, second = server.statistics().error_groups
    assert (first.type, first.count) == ("KeyError", 1)
    assert (second.type, second.object, second.count) == (*("CustomError", "tally", 5),)
    assert second.pids == (worker.pid,)
    assert second.first <= second.last
    assert isinstance(second.ways_out, tuple)


def test_a_group_has_ways_out_to_copy(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Chain(), name="chain", max_chain=0, allow=["next"])
    with pytest.raises(LimitedProxyChaining):
        worker.eval("p.next", p=proxy)
    with pytest.raises(AccessDenied):
        worker.eval("p.step()", p=proxy)

    denied, cut = server.statistics().error_groups
    assert "%share chain --max-chain 1" in [line for _, line in cut.ways_out]
    lines = [line for _, line in denied.ways_out]
    assert any(line.startswith("%share chain --allow") for line in lines), lines
    assert "%share chain" in lines
    assert all(sentence.endswith(".") for sentence, _ in cut.ways_out)


def ask_for_special_attributes(proxy: Any) -> list[bool]:
    return [hasattr(proxy, name) for name in ("__module__", "__fspath__", "missing")]


def test_a_special_attribute_that_an_object_lacks_is_no_error(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy({"n": 1}, name="results")
    assert worker.run(ask_for_special_attributes, proxy) == [False] * 3
    assert [each.asked for each in server.statistics().errors] == ["missing"]


def append_to_the_list_itself(proxy: Any) -> None:
    """
    Call a method by reference, which is a request to the server itself.
    """
    ref(proxy).append(1)


def test_a_request_to_the_server_itself_is_noted_under_its_object(
    server: ProxyServer, worker: Worker
) -> None:
    allowed = server.create_proxy([], name="items", allow=["pop"])
    unpicklable = server.create_proxy((row for row in [1]), name="rows")
    with pytest.raises(AccessDenied):
        worker.run(append_to_the_list_itself, allowed)
    with pytest.raises(DataEncodeError):
        worker.run(fetch, unpicklable)

    found = server.statistics()
    about = [(each.object, each.asked) for each in found.errors]
    assert about == [("items", "append"), ("rows", "fetch")]
    assert "%share items --allow append,pop" in [
        line for group in found.error_groups for _, line in group.ways_out
    ]
    assert [str(each.last_error).partition(":")[0] for each in found.proxies] == [
        *("AccessDenied", "DataEncodeError"),
    ]


def test_what_is_not_there_any_more_has_no_name_to_type(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy([], name="items")
    server.remove_proxy(proxy)
    with pytest.raises(ProxyObjectNotFound):
        worker.run(fetch, proxy)
    (group,) = server.statistics().error_groups
    assert group.object == f"object {proxy._duck_idx}"
    assert group.ways_out == (("Share it again and pass the new proxy.", ""),)


def test_chains_that_were_cut_are_counted(server: ProxyServer, worker: Worker) -> None:
    proxy = server.create_proxy(Chain(), name="chain", max_chain=1)
    for _ in range(3):
        with pytest.raises(LimitedProxyChaining):
            worker.eval("p.next.step()", p=proxy)

    (found,) = server.statistics().chains
    assert found.path == "chain.next.step()"
    assert (found.type, found.level, found.max_level) == ("Chain", 2, 1)
    assert found.cuts == 3


def test_a_cut_chain_is_the_last_error_of_what_was_shared(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Chain(), name="chain", max_chain=2)
    with pytest.raises(LimitedProxyChaining):
        worker.eval("p.next.step().next", p=proxy)

    (shared,) = [found for found in server.statistics().proxies if not found.level]
    assert (shared.last_error or "").startswith("LimitedProxyChaining: ")


def test_ends_of_iterations_are_no_errors(server: ProxyServer, worker: Worker) -> None:
    worker.exec("list(p)", p=server.create_proxy(iter([1, 2])))

    assert server.statistics().errors == ()


def test_it_is_one_value_that_never_changes(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally())
    fail_often(worker, proxy, 2)
    before = statistics_after(server, 3)
    text = repr(before)
    worker.exec("p.count()", p=proxy)

    assert isinstance(before, ServerStatistics)
    assert is_frozen(before)
    assert repr(before) == text


def test_calls_of_objects_that_are_no_more_stay_in_the_totals(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally())
    worker.exec("for _ in range(5): p.value", p=proxy)
    statistics_after(server, 5)
    server.remove_proxy(proxy)
    worker.exec("for _ in range(5): p.value", p=server.create_proxy(Tally()))

    assert statistics_after(server, 10).totals.gets == 10


def test_a_closed_server_can_still_be_asked(
    server: ProxyServer, worker: Worker
) -> None:
    worker.exec("p.value", p=server.create_proxy(Tally()))
    statistics_after(server, 1)
    server.close()

    found = server.statistics()
    assert not found.running
    assert found.totals.calls == 1


def test_frames_beside_the_buffer_are_counted_and_fill_none(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Plain(text=""), bufsize=400)
    sizes = [10, 5_000, 20, 6_000, 30]
    worker.exec(f"for n in {sizes}: p.text = 'z' * n", p=proxy)

    found = statistics_after(server, len(sizes))
    (row,) = found.proxies
    buffers = {connection.bufsize for connection in server.connections()}
    assert row.bufsize == max(buffers)
    assert row.beside == found.totals.beside == 2
    assert 30 < row.last <= row.peak <= row.bufsize
