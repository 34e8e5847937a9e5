"""
Looking at a session: what it has counted, and that looking changes nothing.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from duck_jupyter import AccessDenied, LimitedProxyChaining, share
from duck_jupyter.client.references import ref
from duck_jupyter.memory.folders import Place
from duck_jupyter.memory.leftovers import Leftover
from duck_jupyter.session import observe
from duck_jupyter.session.doctor import Report, examine, findings_of
from duck_jupyter.session.names import Source, Terms
from duck_jupyter.session.observe import snapshot_of
from duck_jupyter.session.shared_names import Wish
from duck_jupyter.session.snapshot import Cell, as_plain
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from duck_jupyter.proxy import Proxy
    from duck_jupyter.session.session import Session
    from tests.support.workers import Worker

MEGABYTE = 2**20


class Chain:
    """
    An object without an end.
    """

    @property
    def next(self) -> Chain:
        return Chain()


def read_once(proxy: Proxy) -> None:
    """
    Read an item: the job of a worker that then ends.
    """
    assert proxy["a"] == 1


def test_without_a_server_there_is_nothing(session: Session) -> None:
    found = snapshot_of(session, seq=3)
    assert (found.seq, found.whole, found.since) == (3, True, None)
    assert (found.objects, found.workers, found.object_count) == ([], [], 0)
    assert found.state in ("empty", "stopped")
    assert found.kernel.pid == os.getpid()
    assert found.kernel.session == snapshot_of(session).kernel.session


def test_the_state_says_what_there_is(session: Session) -> None:
    share([1], name="one")
    assert snapshot_of(session).state == "serving"
    session.unshare(["one"])
    assert snapshot_of(session).state == "empty"
    session.stop()
    assert snapshot_of(session).state == "stopped"


def test_calls_are_in_the_row_the_worker_and_the_totals(
    session: Session, worker: Worker
) -> None:
    proxy = share({"a": "x" * 150}, name="cfg", bufsize=200)
    worker.exec("for _ in range(9): cfg['a']\ncfg['b'] = 1", cfg=proxy)
    assert wait_until(lambda: snapshot_of(session).totals.executes == 10)
    found = snapshot_of(session, pss={worker.pid: 7 * MEGABYTE})
    (row,) = found.objects
    assert (row.path, row.root, row.type, row.size) == ("cfg", "cfg", "dict", "2 keys")
    # Its calls use the buffer of the thread, which is larger than that asked for.
    assert (row.mode, row.level, row.parent, row.bufsize) == ("live", 0, None, 4096)
    assert (row.gets, row.sets, row.executes) == (0, 0, 10)
    assert row.bytes_out > 9 * 150
    assert row.last <= row.peak < 400
    assert row.pids == (worker.pid,)
    assert found.totals.executes == 10
    assert (found.totals.bytes_in, found.totals.bytes_out) == (
        *(row.bytes_in, row.bytes_out),
    )
    (process,) = found.workers
    assert (process.pid, process.name, process.calls) == (worker.pid, "test-worker", 10)
    assert process.pss == 7 * MEGABYTE
    assert 0 <= process.waited <= time.time() - process.since
    assert process.calling == ()
    assert snapshot_of(session).workers[0].pss is None
    assert found.since is not None
    assert found.since <= row.since <= process.since <= found.time


def test_an_object_that_is_called_is_named_with_its_worker(
    session: Session, worker: Worker
) -> None:
    class Looking:
        def look(self) -> tuple[str, ...]:
            return snapshot_of(session).workers[0].calling

    assert worker.eval("p.look()", p=share(Looking(), name="looking")) == ("looking",)


def test_the_way_out_of_read_only_is_the_line_that_opens_it(
    session: Session, worker: Worker
) -> None:
    proxy = share({}, name="results", readonly=True, max_chain=3)
    with pytest.raises(AccessDenied):
        worker.exec("p.update(a=1)", p=proxy)
    (group,) = snapshot_of(session).errors or []
    assert [line for _, line in group.ways_out] == [
        "%share results --max-chain 3 --readonly --allow update",
        "%share results --max-chain 3",
    ]


def test_errors_come_with_their_worker_and_ways_out(
    session: Session, worker: Worker
) -> None:
    proxy = share(Chain(), name="chain", max_chain=1)
    for _ in range(2):
        with pytest.raises(LimitedProxyChaining):
            worker.eval("c.next.next", c=proxy)
    with pytest.raises(AttributeError):
        worker.eval("c.nothing", c=proxy)
    found = snapshot_of(session)
    assert found.error_count == 3
    newest, cut = found.errors or []
    assert (newest.type, newest.object, newest.count) == ("AttributeError", "chain", 1)
    assert "AttributeError" in newest.traceback
    assert (cut.type, cut.count, cut.pids) == (
        *("LimitedProxyChaining", 2, (worker.pid,)),
    )
    assert cut.worker == "test-worker"
    assert any(line.startswith("%share chain --max-chain") for _, line in cut.ways_out)
    (chain,) = found.chains or []
    assert (chain.level, chain.max_level, chain.cuts) == (2, 1, 2)
    assert chain.key == cut.key
    assert (found.objects[0].last_error or "").startswith("AttributeError")
    assert found.objects[0].error is not None
    assert found.objects[0].error.key == newest.key


def test_of_many_errors_the_newest_are_given(session: Session, worker: Worker) -> None:
    proxy = share({}, name="cfg")
    code = """
for i in range(60):
    try:
        cfg[i]
    except KeyError:
        pass
"""
    worker.exec(code, cfg=proxy)
    found = snapshot_of(session)
    assert (found.error_count, found.error_kinds) == (60, 60)
    errors = found.errors or []
    assert [row.message for row in errors] == [
        str(i) for i in range(59, 59 - observe.MOST_ERRORS, -1)
    ]


def test_a_chained_object_has_its_parent(session: Session) -> None:
    proxy = share({"a": [1, 2]}, name="cfg")
    held = ref(proxy)["a"]
    first, second = snapshot_of(session).objects
    assert (second.parent, second.path, second.level) == (first.idx, "cfg[]", 1)
    assert second.size == "2 items"
    assert held[0] == 1


@pytest.mark.slow
def test_a_worker_that_ended_is_kept(session: Session) -> None:
    proxy = share({"a": 1}, name="cfg")
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=read_once, args=(proxy,), name="reader")
    process.start()
    process.join()
    assert wait_until(lambda: bool(snapshot_of(session).ended))
    (end,) = snapshot_of(session).ended
    assert (end.pid, end.name) == (process.pid, "reader")
    assert end.calls >= 1
    assert end.since <= end.ended


def test_memory_is_told(session: Session, worker: Worker) -> None:
    share(np.zeros(MEGABYTE, "u1"), name="grid", inplace=True)
    found = snapshot_of(session)
    (row,) = found.objects
    assert row.mode == "inplace"
    assert row.version_bytes >= MEGABYTE
    memory = found.memory
    assert memory.ours >= MEGABYTE
    assert (memory.spooled, memory.findings) == (0, None)
    assert memory.capacity is not None
    assert memory.free is not None
    assert memory.free <= memory.capacity


def test_what_was_given_is_passed_on(session: Session) -> None:
    cell = Cell(running=True, number=5)
    findings = tuple(findings_of(examine(session)))
    found = snapshot_of(session, cell=cell, findings=findings, done=["a"])
    assert (found.cell, found.memory.findings, found.done) == (cell, findings, ["a"])


def test_to_look_lets_no_name_follow_its_variable(session: Session) -> None:
    """
    In the middle of a cell a variable may name anything for a moment.
    """
    space = {"x": [1, 2, 3]}
    session.share([Wish("x", space["x"], Source(space, "x"))], Terms())
    space["x"] = []
    assert snapshot_of(session).objects[0].size == "3 items"
    del space["x"]
    assert snapshot_of(session).object_count == 1
    assert session.names == ()


def test_rows_that_did_not_change_are_the_same_ones(
    session: Session, worker: Worker
) -> None:
    """
    Whatever an object's size in words says, it is asked each time.
    """
    items = [1, 2, 3]
    used = share({"a": 1}, name="used")
    share(items, name="items")
    share(b"x", name="unused")
    before = snapshot_of(session).objects
    worker.eval("used['a']", used=used)
    items.append(4)

    assert wait_until(lambda: snapshot_of(session).objects[0].executes == 1)
    first, second, third = snapshot_of(session).objects
    assert first.executes == 1
    assert second.size == "4 items"
    assert third is before[2]


def test_json_can_say_all_of_it(session: Session, worker: Worker) -> None:
    proxy = share({"a": 1}, name="cfg")
    with pytest.raises(KeyError):
        worker.eval("cfg['b']", cfg=proxy)
    found = snapshot_of(session)
    text = json.dumps(as_plain(found), allow_nan=False)
    assert json.loads(text) == json.loads(msgspec.json.encode(found))


def test_many_objects_are_looked_at_in_time(session: Session) -> None:
    held = [share([i], name=f"object_{i}") for i in range(1000)]
    began = time.monotonic()
    assert snapshot_of(session).object_count == len(held)
    assert time.monotonic() - began < 2


def test_findings_are_what_the_user_may_want_to_do_something_about(
    tmp_path: Path,
) -> None:
    much = Place(tmp_path, 2**34, 2**33)
    little = Place(tmp_path, 2**26, 2**20)
    nothing = Place(tmp_path, 0, 0)
    left = Leftover(tmp_path / "duck-0123", "block", MEGABYTE, 60.0, None)
    assert findings_of(Report(much, much, (), ())) == []
    (found,) = findings_of(Report(little, much, (), ()))
    assert (found.what, found.line) == ("little memory", "docker run --shm-size=2g")
    assert "is small" in found.detail
    (found,) = findings_of(Report(nothing, much, (), ()))
    assert found.line == ""
    (found,) = findings_of(Report(much, much, (), (left, left)))
    assert (found.what, found.line) == ("left-overs", "%duck doctor --clean")
    assert found.detail.startswith("2 things were left")
    assert "2.00 MB" in found.detail
