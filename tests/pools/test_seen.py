"""
What is told of tasks is what the workers have measured, whatever pool they work for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .kernels import METHODS

if TYPE_CHECKING:
    from pathlib import Path

    from .kernels import PoolKernel

pytestmark = pytest.mark.slow

POOLS = [
    *((kind, method) for kind in ("executor", "Pool") for method in METHODS),
    ("loky", "loky"),
]
#: How far a share may be from what workers measured.
POINTS = 0.05
SEEN = """
import json, dataclasses, msgspec
from duck_jupyter import tasks
from duck_jupyter.session.api import own_session
from duck_jupyter.session.observe import snapshot_of
def tell(*names):
    found = msgspec.to_builtins(tasks())
    runs = {run["function"]: run for run in found["runs"]}
    return {name: runs[name] for name in names}
"""


@pytest.fixture(autouse=True, scope="module")
def prepared(shared_kernel: PoolKernel) -> None:
    ran = shared_kernel.cell(SEEN)
    assert not ran.error


def run(kernel: PoolKernel, code: str) -> Any:
    """
    Run a cell, and give the JSON that it prints last.
    """
    ran = kernel.cell(code)
    assert not ran.error, ran.error
    return json.loads(ran.text.splitlines()[-1])


def counts_of(row: dict[str, Any]) -> tuple[int, ...]:
    names = ("total", "done", "failed", "lost", "cancelled", "in_hand", "queued")
    return tuple(row[name] for name in names)


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_items_are_counted_exactly_however_they_are_submitted(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    ways = {
        "by_map": "list(pool.map(by_map, range(100)))",
        "by_chunks": "list(pool.map(by_chunks, range(1000), chunksize=30))",
        "by_submit": "[result(submit(pool, by_submit, i)) for i in range(20)]",
    }
    if kind == "Pool":
        ways |= {
            "by_imap": "list(pool.imap(by_imap, (i for i in range(37))))",
            "by_unordered": "list(pool.imap_unordered(by_unordered, range(38), 5))",
            "by_star": "pool.starmap(by_star, [(i,) for i in range(39)])",
            "by_apply": "[pool.apply(by_apply, (i,)) for i in range(7)]",
        }
    names = list(ways)
    functions = "\n".join(f"def {name}(i): return i" for name in names)
    found = run(
        pool_kernel,
        f"{functions}\npool = make({kind!r}, {method!r})\n"
        + "\n".join(ways.values())
        + f"\nprint(json.dumps(tell(*{names!r})))",
    )
    wanted = {
        **{"by_map": 100, "by_chunks": 1000, "by_submit": 20, "by_imap": 37},
        **{"by_unordered": 38, "by_star": 39, "by_apply": 7},
    }
    for name in names:
        count = wanted[name]
        assert counts_of(found[name]) == (count, count, 0, 0, 0, 0, 0), name
        assert found[name]["module"] == "__main__"
        assert found[name]["size"] == 2


# It compares times, which another test would take from the workers.
@pytest.mark.alone
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_calls_of_joblib_are_counted_in_their_batches(
    pool_kernel: PoolKernel, backend: str
) -> None:
    code = f"""
def item(i): return work.compute(0.002)
with joblib.Parallel(2, backend={backend!r}) as parallel:
    done = parallel(joblib.delayed(item)(i) for i in range(200))
if {backend!r} == "loky":
    joblib.externals.loky.get_reusable_executor().shutdown()
row = tell("item")["item"]
kind = [pool.kind for pool in tasks().pools if pool.id == row["pool"]]
print(json.dumps([row, sum(seconds for _, seconds in done), kind]))
"""
    row, computed, kind = run(pool_kernel, code)
    assert counts_of(row) == (200, 200, 0, 0, 0, 0, 0)
    assert row["spent"]["computing"] == pytest.approx(computed, rel=POINTS, abs=0.02)
    # Within a quarter of a doubling.
    assert 0.0017 <= row["each_p50"] < 0.012
    assert kind == ["joblib"]


# It compares times, which another test would take from the workers.
@pytest.mark.alone
@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_times_are_those_that_workers_measure(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    code = f"""
pool = make({kind!r}, {method!r})
list(pool.map(abs, range(8)))
def busy(s): return work.compute(s)
began = time.monotonic()
done = list(pool.map(busy, [0.4, *[0.02] * 30]))
took = time.monotonic() - began
row = tell("busy")["busy"]
workers = {{row.pid: row.t_computing for row in tasks().workers}}
print(json.dumps([row, done, took, workers]))
"""
    row, done, took, workers = run(pool_kernel, code)
    spent, computed = row["spent"], sum(seconds for _, seconds in done)
    whole = 2 * (row["last"] - row["first"])
    # The workers are done before the notebook has their results.
    assert 0.4 < row["last"] - row["first"] <= took
    assert abs(spent["computing"] - computed) < POINTS * whole
    assert sum(spent.values()) == pytest.approx(whole, rel=POINTS)
    assert spent["waiting"] == 0
    for pid in {pid for pid, _ in done}:
        own = sum(seconds for who, seconds in done if who == pid)
        assert workers[str(pid)] == pytest.approx(own, abs=POINTS * whole)
    slowest = row["slowest"]
    assert len(slowest) == 5
    assert slowest[0]["arguments"] == "0.4"
    assert slowest[0]["pid"] == done[0][0]
    assert slowest[0]["seconds"] == pytest.approx(done[0][1], abs=POINTS * whole)


# It compares times, which another test would take from the workers.
@pytest.mark.alone
@pytest.mark.parametrize(("kind", "method"), [("executor", "fork"), ("Pool", "spawn")])
def test_waiting_for_the_kernel_is_what_workers_wait(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    code = f"""
pool = make({kind!r}, {method!r})
conn = work.Slow()
%share conn
list(pool.map(abs, range(8)))
def score(i): return work.compute_and_call(shared.conn, 0.02)
done = list(pool.map(score, range(40)))
row = tell("score")["score"]
own_session().stop()
print(json.dumps([row, done]))
"""
    row, done = run(pool_kernel, code)
    spent, whole = row["spent"], sum(row["spent"].values())
    computed, waited = (sum(times) for times in zip(*done, strict=True))
    assert abs(spent["computing"] - computed) < POINTS * whole
    assert abs(spent["waiting"] - waited) < POINTS * whole
    assert row["waited_on"][0]["object"].startswith("conn")
    assert "Its workers wait on conn" in row["advice"]


def test_what_is_handed_over_to_a_run_is_not_copied(pool_kernel: PoolKernel) -> None:
    code = """
import numpy as np
table = np.zeros(500_000)
%share table
def first(values, i): return float(values[i])
pool = make("executor", "fork")
futures = [pool.submit(first, table, i) for i in range(5)]
done = [result(each) for each in futures]
row = tell("first")["first"]
own_session().stop()
print(json.dumps(row))
"""
    row = run(pool_kernel, code)
    assert row["handed_over"] == 5
    assert row["not_copied"] >= 5 * 4_000_000
    assert row["slowest"][0]["arguments"].startswith("ndarray(500000), ")


@pytest.mark.parametrize("kind", ["executor", "Pool"])
def test_a_task_that_raises_has_failed_by_name(
    pool_kernel: PoolKernel, kind: str
) -> None:
    name = f"flawed_in_{kind}"
    code = f"""
pool = make({kind!r}, "fork", 1)
def {name}(number): return work.fail_at(number)
try:
    list(pool.map({name}, range(40, 60), chunksize=10))
except ValueError: pass
end(pool)
found = [row for row in snapshot_of(own_session()).errors if row.object == {name!r}]
print(json.dumps([tell({name!r})[{name!r}], msgspec.to_builtins(found)]))
"""
    row, errors = run(pool_kernel, code)
    # The other items of its chunk are not called.
    assert counts_of(row) == (20, 18, 1, 0, 2, 0, 0)
    assert row["failures"] == [["ValueError", 1]]
    (error,) = errors
    assert (error["kind"], error["count"]) == ("task", 1)
    assert (error["type"], error["message"]) == ("ValueError", "no such number")
    assert (error["arguments"], error["run"]) == ("47", row["id"])
    assert [line for _, line in error["ways_out"]] == [f"{name}(47)"]


@pytest.mark.parametrize(("kind", "method"), POOLS)
def test_a_killed_worker_leaves_its_counts_and_loses_its_task(
    pool_kernel: PoolKernel, kind: str, method: str
) -> None:
    code = f"""
pool = make({kind!r}, {method!r}, 1)
list(pool.map(abs, range(3)))
def deadly(number): return work.die_at(number)
done = [result(submit(pool, deadly, i)) for i in range(5)]
try: result(submit(pool, deadly, 47))
except Exception as error: print(error)
found = tasks()
row = tell("deadly")["deadly"]
pool_row = next(x for x in found.pools if x.id == row["pool"])
print(json.dumps([row, msgspec.to_builtins(pool_row)]))
"""
    row, pool = run(pool_kernel, code)
    assert counts_of(row) == (6, 5, 0, 1, 0, 0, 0)
    assert pool["how"] == (None if kind == "Pool" else "broken")
    assert row["ended"] is not None or kind == "Pool"


@pytest.mark.parametrize("kind", ["executor", "Pool", "loky"])
def test_interrupted_tasks_are_cancelled(
    pool_kernel: PoolKernel, kind: str, tmp_path: Path
) -> None:
    ran = pool_kernel.cell(
        f"pool = make({kind!r}, 'fork')\n"
        "def long(i): return i if i < 4 else work.say_and_rest()\n"
        "list(pool.map(long, range(4)))\n"
        "list(pool.map(long, range(4, 40)))",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    row = run(pool_kernel, "print(json.dumps(tell('long')['long']))")
    assert row["done"] + row["cancelled"] == 40 == row["total"]
    assert (row["done"], row["lost"], row["in_hand"]) == (4, 0, 0)


@pytest.mark.parametrize("kind", ["executor", "Pool"])
def test_a_worker_that_an_interrupt_kills_has_lost_nothing(
    pool_kernel: PoolKernel, kind: str, tmp_path: Path
) -> None:
    name = f"stubborn_in_{kind}"
    ran = pool_kernel.cell(
        "%config DuckJupyter.interrupt_grace = 0.1\n"
        f"pool = make({kind!r}, 'fork', 1)\n"
        f"def {name}(path): print('at work'); return work.stubborn(path)\n"
        f"list(pool.map({name}, [{str(tmp_path / 'path')!r}] * 3))",
        interrupt_at="at work",
    )
    assert "KeyboardInterrupt" in ran.error
    code = (
        "%config DuckJupyter.interrupt_grace = 1.0\n"
        f"print(json.dumps(tell({name!r})[{name!r}]))"
    )
    assert counts_of(run(pool_kernel, code)) == (3, 0, 0, 0, 3, 0, 0)


def test_workers_that_are_replaced_leave_their_counts(pool_kernel: PoolKernel) -> None:
    code = """
pool = multiprocessing.get_context("fork").Pool(2, maxtasksperchild=3)
pools.append(pool)
def fleeting(i): return os.getpid()
pids = set(pool.map(fleeting, range(60), 1))
print(json.dumps([tell("fleeting")["fleeting"], len(pids)]))
"""
    row, pids = run(pool_kernel, code)
    assert pids >= 20
    assert counts_of(row) == (60, 60, 0, 0, 0, 0, 0)


def test_tasks_of_pools_in_workers_are_the_task_that_made_them(
    pool_kernel: PoolKernel,
) -> None:
    code = """
pool = make("executor", "fork")
list(pool.map(work.nest, range(6)))
print(json.dumps([tell("nest")["nest"], [r.function for r in tasks().runs[-1:]]]))
"""
    row, last = run(pool_kernel, code)
    assert counts_of(row) == (6, 6, 0, 0, 0, 0, 0)
    assert last == ["nest"]


def test_an_initializer_counts_as_starting(pool_kernel: PoolKernel) -> None:
    code = """
def slow_start(): work.compute(0.5)
def quick(i): return work.compute(0.01)
began = time.monotonic()
pool = make("executor", "fork", 1, slow_start)
done = list(pool.map(quick, range(10)))
took = time.monotonic() - began
row = tell("quick")["quick"]
(worker,) = [each for each in tasks().workers if each.pid == done[0][0]]
print(json.dumps([row, worker.t_starting, took, worker.state, worker.tasks]))
"""
    row, starting, took, state, count = run(pool_kernel, code)
    assert 0.5 <= row["spent"]["starting"] <= took
    assert 0.5 <= starting <= took
    assert (state, count) == ("idle", 10)


def test_a_running_task_is_told_with_its_arguments(
    pool_kernel: PoolKernel, tmp_path: Path
) -> None:
    code = f"""
go = {str(tmp_path / "go")!r}
def waits(path, depth): return work.wait_for(path)
pool = make("executor", "fork", 1)
future = pool.submit(waits, go, depth=8)
until = time.monotonic() + 20
while not tasks().tasks and time.monotonic() < until:
    threading.Event().wait(0.02)
found = tasks()
(worker,) = [each for each in found.workers if each.state == "computing"]
task, row = found.tasks[-1], found.runs[-1]
open(go, "w").close()
print(json.dumps([msgspec.to_builtins(each) for each in (task, worker.run, row)]))
"""
    task, of_run, row = run(pool_kernel, code)
    assert task["end"] is None
    assert task["arguments"].endswith(", depth=8")
    assert task["run"] == of_run == row["id"]
    assert (row["in_hand"], row["done"]) == (1, 0)


def test_arguments_can_be_left_out(pool_kernel: PoolKernel) -> None:
    code = """
%config DuckJupyter.task_arguments = False
pool = make("executor", "fork", 1)
def secret(number): return number
list(pool.map(secret, range(9)))
%config DuckJupyter.task_arguments = True
print(json.dumps(tell("secret")["secret"]["slowest"]))
"""
    slowest = run(pool_kernel, code)
    assert [each["arguments"] for each in slowest] == [""] * 5


def test_a_pool_that_was_made_before_is_told_and_not_counted(
    own_kernel: PoolKernel,
) -> None:
    code = """
%unload_ext duck_jupyter
pool = make("executor", "fork")
list(pool.map(abs, range(3)))
%load_ext duck_jupyter
assert not tasks().pools
list(pool.map(abs, range(3)))
found = tasks()
states = [(row.pool, row.state) for row in found.workers]
print(json.dumps([[row.seen for row in found.pools], len(found.runs), states]))
end(pool)
"""
    seen, runs, states = run(own_kernel, SEEN + code)
    assert seen == [False]
    assert runs == 0
    assert states == [[1, "unseen"]] * 2


def test_without_the_extension_there_is_nothing() -> None:
    from duck_jupyter import tasks

    assert tasks().runs == ()
    assert tasks().pools == ()
