"""
The monitor over a real kernel's sockets: asked while a cell runs, and heard.
"""

from __future__ import annotations

import itertools
import queue
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import pytest

from duck_jupyter.monitor.comm import LIVE_PREFIX, LIVE_TARGET
from duck_jupyter.session.snapshot import Snapshot
from tests.magics.kernels import Kernel
from tests.support.processes import wait_until

from .fronts import Front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.workers import Worker

pytestmark = pytest.mark.slow

SHORT_LEASE = "__import__('duck_jupyter.monitor.viewers').monitor.viewers.LEASE_S"
READ = """
import pickle
proxy = pickle.loads(bytes.fromhex(data))
for _ in range(times):
    proxy["depth"]
"""


@pytest.fixture
def short_lease(front: Front) -> Iterator[None]:
    """
    Let a front end that says nothing be forgotten soon.
    """
    front.kernel.run(f"before = {SHORT_LEASE}; {SHORT_LEASE} = 0.4")
    yield
    front.kernel.run(f"{SHORT_LEASE} = before")


def read(front: Front, worker: Worker, times: int) -> None:
    """
    Let a worker read what the kernel shares.
    """
    data = front.kernel.value("__import__('pickle').dumps(shared.config).hex()")
    worker.exec(READ, data=data, times=times)


def snapshot(front: Front, **content: Any) -> Snapshot:
    """
    Ask for a snapshot, which has the shape that was agreed on.
    """
    answer = front.ask("duck_snapshot", **content)
    assert answer["status"] == "ok", answer
    return msgspec.convert(answer["snapshot"], Snapshot)


def test_a_snapshot_is_given_while_a_cell_runs(front: Front, tmp_path: Path) -> None:
    assert not snapshot(front).cell.running
    with front.busy(tmp_path) as number:
        found = snapshot(front)
        assert found.cell.running
        assert found.cell.number == number
        assert (found.state, found.whole, found.object_count) == ("serving", True, 1)
        (row,) = found.objects
        assert (row.path, row.type, row.size) == ("config", "dict", "1 key")
        assert found.kernel.pid == front.pid
        later = snapshot(front)
        assert later.seq > found.seq
    assert not snapshot(front).cell.running


def test_whoever_watches_hears_of_calls_while_a_cell_runs(
    front: Front, worker: Worker, tmp_path: Path
) -> None:
    data = front.kernel.value("__import__('pickle').dumps(shared.config).hex()")
    with front.busy(tmp_path):
        answer = front.ask("duck_watch", viewer="panel")
        assert answer["status"] == "ok"
        assert answer["snapshot"]["whole"]
        first = front.tick()
        assert first["whole"]
        assert first["cell"]["running"]

        worker.exec(READ, data=data, times=20)
        tick = front.tick(lambda t: t["totals"]["gets"] + t["totals"]["executes"] >= 20)
        (row,) = tick["objects"]
        assert row["gets"] + row["executes"] >= 20
        assert worker.pid in row["pids"]
        assert tick["workers"][0]["pid"] == worker.pid

        quiet = front.tick(lambda t: t["seq"] > tick["seq"] and not t["objects"])
        assert quiet["errors"] is None
        assert quiet["object_count"] == 1
    front.ask("duck_unwatch", viewer="panel")


def test_memory_of_a_worker_is_told(front: Front, worker: Worker) -> None:
    read(front, worker, 1)
    front.ask("duck_watch", viewer="panel", quiet=True)
    tick = front.tick(lambda t: any(row["pss"] for row in t["workers"]))
    assert 10**6 < tick["workers"][0]["pss"] < 10**10
    front.ask("duck_unwatch", viewer="panel")


def test_a_quiet_request_to_watch_gets_no_snapshot(front: Front) -> None:
    assert front.ask("duck_watch", viewer="panel", quiet=True) == {"status": "ok"}
    front.ask("duck_unwatch", viewer="panel")


def test_whoever_joins_later_hears_a_whole_snapshot(front: Front) -> None:
    front.ask("duck_watch", viewer="one")
    assert front.tick()["whole"]
    assert not front.tick()["whole"]
    front.ask("duck_watch", viewer="two")
    assert front.tick(lambda t: t["whole"])
    front.ask("duck_unwatch", viewer="one")
    assert front.tick()
    front.ask("duck_unwatch", viewer="two")
    assert wait_until(lambda: not front.is_ticking)


def test_nothing_runs_and_nothing_is_sent_when_nobody_looks(
    front: Front, worker: Worker
) -> None:
    front.ask("duck_watch", viewer="panel")
    front.tick()
    front.ask("duck_unwatch", viewer="panel")
    assert wait_until(lambda: not front.is_ticking)
    front.drain()

    read(front, worker, 50)
    assert not [m for m in front.drain() if m["msg_type"] == "comm_msg"]
    assert not front.is_ticking


def test_a_kernel_nobody_looks_at_takes_no_processor_time(
    front: Front, tmp_path: Path
) -> None:
    """
    Beside the time that the kernel itself takes, which a tick a second would exceed.
    """
    process = psutil.Process(front.pid)
    front.ask("duck_watch", viewer="panel")
    front.tick()
    front.ask("duck_unwatch", viewer="panel")
    assert wait_until(lambda: not front.is_ticking)
    before = {t.id: t.user_time + t.system_time for t in process.threads()}
    with pytest.raises(queue.Empty):
        front.hear(lambda m: False, deadline=1.0)
    after = {t.id: t.user_time + t.system_time for t in process.threads()}
    used = sum(after.values()) - sum(before.get(key, 0) for key in after)
    assert used < 0.05


def test_a_front_end_that_vanished_is_forgotten(
    front: Front, short_lease: None
) -> None:
    front.ask("duck_watch", viewer="closed without a word")
    assert front.tick()
    assert wait_until(lambda: not front.is_ticking)


def test_nobody_is_forgotten_while_a_cell_runs(
    front: Front, short_lease: None, tmp_path: Path
) -> None:
    with front.busy(tmp_path):
        began = front.ask("duck_watch", viewer="panel")["snapshot"]["time"]
        # Nothing is said by the front end for much longer than its lease.
        assert front.tick(lambda t: t["time"] > began + 1.2)
    assert wait_until(lambda: not front.is_ticking)


def test_a_name_is_unshared_while_a_cell_runs(front: Front, tmp_path: Path) -> None:
    front.kernel.run("other = [1]\n%share other")
    with front.busy(tmp_path):
        front.ask("duck_watch", viewer="panel")
        front.tick()
        command: dict[str, Any] = {
            "id": "c1",
            "name": "unshare",
            "args": {"object": "other"},
        }
        assert front.ask("duck_command", **command) == {"status": "ok", "id": "c1"}
        # What was done is told at once, and whole.
        tick = front.tick(lambda t: "c1" in t["done"])
        assert tick["whole"]
        assert [row["path"] for row in tick["objects"]] == ["config"]
        assert front.ask("duck_command", **command)["status"] == "ok"
    assert front.kernel.value("list(shared)") == ["config"]
    front.ask("duck_unwatch", viewer="panel")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"id": "x", "name": "format_disk"},
        {"id": 7, "name": "unshare", "args": {"object": "config"}},
        {"id": "x", "name": "unshare", "args": ["config"]},
        {"id": "y", "name": "unshare", "args": {}},
        {"id": "z", "name": ["unshare"]},
    ],
)
def test_a_request_that_is_none_is_refused(
    front: Front, content: dict[str, Any]
) -> None:
    answer = front.ask("duck_command", **content)
    assert answer["status"] == "error"
    assert answer["message"]
    assert snapshot(front).object_count == 1


def test_an_error_in_a_look_is_told_and_passes(front: Front) -> None:
    """
    As of a class whose very name cannot be asked for.
    """
    front.kernel.run(
        "import duck_jupyter.monitor.ticker as _ticker\n"
        "_real, _ticker.snapshot_of = _ticker.snapshot_of, None"
    )
    answer = front.ask("duck_snapshot")
    assert (answer["status"], answer["message"][:9]) == ("error", "TypeError")
    front.kernel.run("_ticker.snapshot_of = _real")
    assert snapshot(front).object_count == 1


def test_who_looked_sees_how_the_extension_left(front: Front) -> None:
    front.ask("duck_watch", viewer="panel")
    front.tick()
    front.kernel.run("%unload_ext duck_jupyter\npass")
    # What was sent before and while the cell ran is heard only now.
    assert not front.is_ticking
    with pytest.raises(queue.Empty):
        front.ask("duck_snapshot", deadline=0.5)

    front.kernel.run("%load_ext duck_jupyter")
    found = snapshot(front)
    assert (found.state, found.objects) == ("stopped", [])


def test_loading_and_unloading_are_broadcast(front: Front, tmp_path: Path) -> None:
    front.ask("duck_watch", viewer="panel")
    front.tick()
    key = front.begin("%unload_ext duck_jupyter")
    last = front.tick(lambda t: t["state"] == "stopped")
    assert last["whole"]
    assert last["objects"] == []
    assert front.live("unloaded")
    front.end(key)
    key = front.begin("%load_ext duck_jupyter")
    assert front.live("loaded")
    front.end(key)


def test_the_list_of_comms_tells_whether_the_extension_is_loaded(front: Front) -> None:
    wanted: dict[str, Any] = {"target_name": LIVE_TARGET}
    (key,) = front.ask("comm_info", **wanted)["comms"]
    assert key.startswith(LIVE_PREFIX)
    front.kernel.run("%unload_ext duck_jupyter")
    assert front.ask("comm_info", **wanted)["comms"] == {}
    front.kernel.run("%load_ext duck_jupyter")
    (again,) = front.ask("comm_info", **wanted)["comms"]
    assert again != key


def test_a_cell_that_runs_cells_is_one_cell(front: Front) -> None:
    front.kernel.run(
        "def look():\n"
        "    from duck_jupyter.magics.extension import _hub\n"
        "    return _hub.ticker.look().cell.running\n"
        "inner = []\n"
        "get_ipython().run_cell('inner.append(look())')\n"
        "get_ipython().run_cell('')\n"
        "inner.append(look())"
    )
    assert front.kernel.value("inner") == [True, True]
    assert not snapshot(front).cell.running


def test_a_kernel_that_begins_with_the_extension_runs_no_cell(tmp_path: Path) -> None:
    """
    And a restart is seen: the kernel's mark is another one.
    """
    option = "--InteractiveShellApp.extensions=duck_jupyter"
    with Kernel(arguments=[option]) as kernel:
        front = Front(kernel)
        found = snapshot(front)
        assert (found.state, found.cell.running) == ("empty", False)
        with front.busy(tmp_path):
            assert snapshot(front).cell.running

        kernel.manager.restart_kernel(now=True)
        kernel.client.wait_for_ready(timeout=30)
        again = snapshot(front)
        assert again.kernel.session != found.kernel.session
        assert again.kernel.pid != found.kernel.pid


def test_news_come_as_seldom_as_the_most_curious_wants(front: Front) -> None:
    def rest() -> float:
        # What is sent at once, since somebody came, is over.
        front.tick(lambda t: t["whole"])
        before = front.tick(lambda t: not t["whole"])
        after = front.tick(lambda t: t["seq"] > before["seq"])
        return float(after["time"] - before["time"])

    front.ask("duck_watch", viewer="status bar", every=1.0)
    assert rest() > 0.9
    front.ask("duck_watch", viewer="panel", quiet=True, every=0.25)
    assert rest() < 0.9
    front.ask("duck_unwatch", viewer="status bar")
    front.ask("duck_unwatch", viewer="panel")


def test_a_page_that_is_loaded_anew_still_hears_of_the_cell_that_runs(
    front: Front, tmp_path: Path
) -> None:
    front.ask("duck_watch", viewer="page", quiet=True)
    with front.busy(tmp_path):
        front.ask("duck_unwatch", viewer="page", after=2.0)
        left = front.tick(lambda t: t["cell"]["running"])
        assert front.tick(lambda t: t["seq"] > left["seq"])
        # And then nobody came back.
        with pytest.raises(queue.Empty):
            all(front.live(deadline=1.0) for _ in itertools.count())
