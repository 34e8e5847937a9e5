"""
Kinds of error: what makes two errors one, what is told of them, and what is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from duck_jupyter.errors import AccessDenied, LimitedProxyChaining
from duck_jupyter.stats import error_log
from duck_jupyter.stats.error_log import ErrorLog, Noted, Subject
from tests.support.objects import Chain

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

WORKER = (41, "first")
SUBJECT = Subject(3, "cfg", "cfg", "__getitem__")


def note(
    log: ErrorLog,
    error: BaseException,
    subject: Subject = SUBJECT,
    worker: tuple[int, str] = WORKER,
) -> Noted:
    """
    Note an error whose traceback is its text.
    """
    return log.note(error, str(error), f"trace of {error}", subject, worker)


def test_the_same_error_of_150_objects_is_one_kind(
    server: ProxyServer, worker: Worker
) -> None:
    proxies = [server.create_proxy({}, name=f"d{i}") for i in range(150)]
    code = """
for d in proxies:
    for _ in range(2):
        try:
            d["lost"]
        except KeyError:
            pass
"""
    worker.exec(code, proxies=proxies)
    found = server.statistics()
    assert (found.error_count, found.error_kinds) == (300, 1)
    (kind,) = found.error_groups
    assert (kind.type, kind.message, kind.count) == ("KeyError", "'lost'", 300)
    assert (kind.objects, kind.object, kind.idx) == (
        *(150, "d149", proxies[-1]._duck_idx),
    )
    assert (kind.worker, kind.pids) == ("test-worker", (worker.pid,))
    keys = {row.error.key for row in found.proxies if row.error is not None}
    assert keys == {kind.key}
    times = [row.error.time for row in found.proxies if row.error is not None]
    assert len(times) == 150
    assert kind.first <= times[0] < times[-1] == kind.last


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (KeyError("other"), "cfg"),
        (ValueError("'lost'"), "cfg"),
        (AccessDenied("'lost'", opened_by="%share a"), "a"),
        (AccessDenied("'lost'", opened_by="%share b"), "b"),
    ],
    ids=["a message", "a type", "a way out", "another way out"],
)
def test_what_differs_is_another_kind(error: Exception, name: str) -> None:
    log = ErrorLog()
    first = note(log, KeyError("lost"))
    denied = AccessDenied("'lost'", opened_by="%share c")
    second = note(log, denied, Subject(4, "c", "c", "update"))
    third = note(log, error, Subject(5, name, name, "update"))
    keys = {each.error.key for each in (first, second, third)}
    assert {row.key for row in log.snapshot().groups} == keys
    assert len(keys) == log.snapshot().kinds == 3


def test_a_kind_tells_of_its_last_error_and_counts_all() -> None:
    log = ErrorLog()
    note(log, KeyError("k"), Subject(3, "a", "a", "get"))
    note(log, KeyError("k"), Subject(4, "b.c", "b", "pop"), (42, "second"))
    note(log, KeyError("k"), Subject(3, "a", "a", "get"), (42, "second"))
    (kind,) = log.snapshot().groups
    assert (kind.object, kind.idx, kind.objects, kind.count) == ("a", 3, 2, 3)
    assert (kind.pids, kind.worker) == ((41, 42), "second")
    assert kind.traceback == "trace of 'k'"
    assert kind.first <= kind.last
    assert [each.asked for each in log.snapshot().records] == ["get", "pop", "get"]
    assert {each.key for each in log.snapshot().records} == {kind.key}


def test_a_kind_has_the_same_key_in_another_kernel() -> None:
    one, other = ErrorLog(), ErrorLog()
    note(other, ValueError("before"))
    assert note(one, KeyError("k")).error.key == note(other, KeyError("k")).error.key


def test_kinds_that_are_not_kept_are_counted() -> None:
    log = ErrorLog()
    for i in range(error_log.ERRORS_KEPT + 30):
        note(log, KeyError(i))
    found = log.snapshot()
    assert found.kinds == 230
    assert [row.message for row in found.groups] == [str(i) for i in range(229, 29, -1)]
    assert found.by_type == (("KeyError", 230),)


def test_a_kind_that_was_dropped_and_comes_again_is_the_same_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = ErrorLog()
    for i in range(3 * (error_log.ERRORS_KEPT + 1)):
        note(log, KeyError(i % (error_log.ERRORS_KEPT + 1)))
    assert log.snapshot().kinds == 201
    monkeypatch.setattr(error_log, "KINDS_COUNTED", 203)
    for i in range(5):
        note(log, ValueError(i))
    assert log.snapshot().kinds == 203


def test_objects_of_a_kind_and_last_errors_have_an_end() -> None:
    log = ErrorLog()
    for i in range(error_log.OBJECTS_KEPT + 5):
        note(log, KeyError("k"), Subject(i, f"d{i}", f"d{i}", "get"))
    (kind,) = log.snapshot().groups
    assert (kind.objects, kind.count) == (1000, 1005)
    assert list(log.last_of) == list(range(5, 1005))


def test_of_the_processes_of_a_kind_the_newest_are_kept() -> None:
    log = ErrorLog()
    for pid in (*range(1, error_log.PIDS_KEPT + 6), 50):
        note(log, KeyError("k"), worker=(pid, f"worker {pid}"))
    (kind,) = log.snapshot().groups
    assert kind.pids == tuple(range(6, 106))
    assert (kind.count, kind.worker) == (106, "worker 50")


def test_of_the_paths_that_were_cut_the_newest_are_kept() -> None:
    log = ErrorLog()
    paths = [f"root.a{i}" for i in range(error_log.CUTS_KEPT + 2)]
    for path in (*paths, paths[-1]):
        error = LimitedProxyChaining.at(3, "Chain", path, "root")
        log.note_cut(error, 1, note(log, error))
    chains = log.snapshot().chains
    assert [chain.path for chain in chains] == paths[2:]
    assert [chain.cuts for chain in chains[-2:]] == [1, 2]


def test_a_cut_chain_leads_to_its_kind_of_error(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Chain(), name="chain", max_chain=1)
    with pytest.raises(LimitedProxyChaining) as cut:
        worker.eval("p.next.step()", p=proxy)
    assert (cut.value.type_name, cut.value.path, cut.value.name) == (
        *("Chain", "chain.next.step()", "chain"),
    )
    found = server.statistics()
    (kind,), (chain,) = found.error_groups, found.chains
    assert (kind.cut, kind.object) == ("chain.next.step()", "chain.next")
    assert (chain.key, chain.path, chain.type) == (kind.key, kind.cut, "Chain")
    assert found.proxies[0].error is not None
    assert found.proxies[0].error.key == kind.key


def test_a_name_that_reads_like_a_path_is_taken_for_what_it_is(
    server: ProxyServer, worker: Worker
) -> None:
    """
    Nothing is read out of a text: names and types may hold whatever texts are made of.
    """

    class Odd(Chain):
        pass

    Odd.__name__ = "Node at other: x"
    proxy = server.create_proxy([Odd()], name="my at.name: [1]", max_chain=0)
    with pytest.raises(LimitedProxyChaining) as cut:
        worker.eval("p[0]", p=proxy)
    assert "%share NAME " in str(cut.value)
    (chain,), (kind,) = server.statistics().chains, server.statistics().error_groups
    assert (chain.path, chain.type) == ("my at.name: [1][]", "Node at other: x")
    assert kind.object == "my at.name: [1]"
    assert not any("fetch(shared.my" in line for _, line in kind.ways_out)
