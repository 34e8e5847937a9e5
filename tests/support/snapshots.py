"""
A snapshot that uses every field: ``python -m tests.support.snapshots`` writes it down.

The file is read by the tests of Python and by those of TypeScript, so that both agree
on what a snapshot is.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from duck_jupyter.session.snapshot import SCHEMA, Cell, KernelRow, Snapshot
from duck_jupyter.stats.exits import end_of
from duck_jupyter.stats.rows import (
    ChainRow,
    ErrorRow,
    Finding,
    LastError,
    MemoryRow,
    ObjectRow,
    Totals,
)
from duck_jupyter.stats.worker_rows import (
    ClusterRow,
    ClusterWorker,
    EndedRow,
    WorkerRow,
)
from tests.support import task_snapshots
from tests.support.processes import ROOT
from tests.support.task_snapshots import BEGAN, NOW

__all__ = ["GOLDEN_FILE", "golden", "golden_text"]

GOLDEN_FILE = ROOT / "tests" / "data" / "snapshot.json"

LATENCY = (0, 0, 0, 0, 120, 9_000, 2_500, 400, 64, 20, 7, 3, 1, 1, 0, 1, *[0] * 16)
KEY_ERROR = "Traceback (most recent call last):\n  ...\nKeyError: 'lost'\n"
TOO_DEEP_KEY, LOST_KEY = "4f1c8a0b5d2e6973", "9b3d7e2a1c5f4068"
TOO_DEEP = (
    "root.next.next was reached through 3 proxies and root allows 2. Ask for less."
)


CLUSTER_WORKER = ClusterWorker(
    host="10.0.0.2",
    worker="gpu-1",
    pid=71,
    address="tls://10.0.0.2:37001",
    running=2,
    waiting=5,
    memory=1_800_000_000,
    memory_limit=2_147_483_648,
    state="running",
)


def ended(
    pid: int,
    name: str,
    since: float,
    end: float,
    code: int | None,
    calls: int,
    tasks: int | None = None,
) -> EndedRow:
    """
    Give the row of a worker that is no more.
    """
    how, words = end_of(code)
    return EndedRow(pid, name, since, end, code, how, words, calls, tasks)


def golden() -> Snapshot:
    """
    Give the snapshot: made up, always the same, with something in every field.
    """
    return Snapshot(
        schema=SCHEMA,
        seq=42,
        whole=True,
        time=NOW,
        since=BEGAN,
        state="serving",
        kernel=KernelRow(pid=4000, python="3.11.7", session="0123456789abcdef"),
        cell=Cell(running=True, number=7),
        busy_delay=0.009,
        totals=Totals(
            *(9_000, 1_117, 2_000, 1_500_000, 7_250_000, 49_152, 61_440),
            LATENCY,
            beside=12,
            handovers=24,
            handed_bytes=100_663_296,
            versions=2,
        ),
        objects=objects(),
        # Told here for its shape: an object that was unshared since the last tick.
        gone=[6],
        object_count=5,
        workers=workers(),
        ended=[
            ended(4103, "SpawnPoolWorker-3", BEGAN + 2, NOW - 60, 0, 1_000),
            ended(4104, "SpawnPoolWorker-4", BEGAN + 2, NOW - 30, -9, 117, 1_548),
            ended(4106, "SpawnPoolWorker-5", BEGAN + 2, NOW - 20, -15, 90),
            ended(4107, "SpawnPoolWorker-6", BEGAN + 2, NOW - 15, 3, 2),
            ended(4105, "MainProcess", BEGAN + 5, NOW - 10.5, None, 3),
            EndedRow(
                *(4_194_305, "10.0.0.2:gpu-0", BEGAN + 3, NOW - 5),
                *(None, "gone", "connection lost", 12),
                cluster=replace(CLUSTER_WORKER, worker="gpu-0", pid=70),
            ),
        ],
        errors=errors(),
        error_count=19,
        error_kinds=2,
        chains=[ChainRow(TOO_DEEP_KEY, "root.next.next", "Node", 3, 2, 4)],
        memory=MemoryRow(
            capacity=67_108_864,
            free=50_331_648,
            ours=9_437_184,
            spooled=8_388_608,
            spool_dir="/var/tmp/duck",
            findings=(
                Finding(
                    "little-memory",
                    "/dev/shm is small: what does not fit goes to /var/tmp/duck.",
                    "docker run --shm-size=2g",
                ),
                Finding("leftover", "2 things were left by dead processes.", ""),
            ),
        ),
        done=["6f1c2d", "6f1c2e"],
        pools=task_snapshots.pools(),
        runs=task_snapshots.runs(),
        run_count=14,
        tasks=task_snapshots.tasks(),
        clusters=[ClusterRow("Dask", "http://10.0.0.1:8787/status")],
    )


def objects() -> list[ObjectRow]:
    """
    Give rows in every mode: two of them reached through others, one of those unused.
    """
    df = ObjectRow(
        idx=1,
        parent=None,
        path="df",
        root="df",
        type="DataFrame",
        size="336,776 x 19",
        mode="live",
        level=0,
        max_level=16,
        bufsize=65_536,
        gets=8_000,
        sets=17,
        executes=1_900,
        bytes_in=1_200_000,
        bytes_out=7_000_000,
        last=49_152,
        peak=61_440,
        versions=2,
        version_bytes=8_388_608,
        mapped_bytes=4_194_304,
        awaited=1,
        last_error=None,
        error=None,
        pids=(4101, 4102),
        since=BEGAN + 1,
        beside=12,
        handovers=24,
        handed_bytes=100_663_296,
    )
    unused = {
        **dict.fromkeys(("gets", "sets", "executes", "bytes_in", "bytes_out"), 0),
        **dict.fromkeys(("last", "peak"), 0),
        **dict.fromkeys(("versions", "version_bytes", "mapped_bytes", "awaited"), 0),
    }
    change = msgspec.structs.replace
    cache = change(
        df,
        **unused,
        idx=2,
        path="cache",
        root="cache",
        type="dict",
        size="1,000 keys",
        bufsize=512,
    )
    return [
        df,
        change(
            cache,
            mode="frozen",
            gets=1_000,
            executes=100,
            bytes_in=200_000,
            bytes_out=240_000,
            last=90,
            peak=461,
            beside=3,
            last_error="KeyError: 'lost'",
            error=LastError(LOST_KEY, "KeyError", NOW - 6),
            pids=(4102,),
        ),
        change(
            cache,
            idx=3,
            path="root",
            root="root",
            type="Node",
            size="",
            mode="read-only",
            max_level=2,
            pids=(4101,),
            last_error=f"LimitedProxyChaining: {TOO_DEEP}",
            error=LastError(TOO_DEEP_KEY, "LimitedProxyChaining", NOW - 2),
        ),
        change(
            cache,
            idx=4,
            parent=3,
            path="root.next",
            root="root",
            type="Node",
            size="",
            level=1,
            max_level=2,
            sets=1_100,
            bytes_in=100_000,
            bytes_out=10_000,
            last=100,
            peak=100,
            pids=(4101,),
        ),
        change(
            cache,
            idx=5,
            path="grid",
            root="grid",
            type="ndarray",
            size="1,000 x 1,000",
            mode="inplace",
            versions=1,
            version_bytes=8_000_000,
            mapped_bytes=8_000_000,
            pids=(),
            since=NOW - 1,
        ),
    ]


def workers() -> list[WorkerRow]:
    """
    Give one worker that waits, and one at rest of which less is known.
    """
    return [
        WorkerRow(
            pid=4101,
            name="SpawnPoolWorker-1",
            since=BEGAN + 2,
            threads=2,
            calls=10_000,
            bytes_in=1_300_000,
            bytes_out=7_000_000,
            waited=412.5,
            connected=1_996.5,
            calling=("df", "the server"),
            pss=73_400_320,
            holds=2,
            pool=3,
            state="waiting",
            run=14,
            task_since=NOW - 7.5,
            waiting_on="df",
            tasks=774,
            failed_tasks=0,
            t_computing=31.5,
            t_waiting=9.25,
            t_starting=0.25,
            each_p50=0.041,
        ),
        WorkerRow(
            pid=4102,
            name="SpawnPoolWorker-2",
            since=BEGAN + 2.5,
            threads=1,
            calls=997,
            bytes_in=100_000,
            bytes_out=200_000,
            waited=0.25,
            connected=997.75,
            calling=(),
            pss=None,
        ),
        WorkerRow(
            pid=4_194_304,
            name="10.0.0.2:gpu-1",
            since=BEGAN + 3,
            threads=1,
            calls=40,
            bytes_in=4_000,
            bytes_out=80_000,
            waited=0.5,
            connected=90.0,
            calling=(),
            pss=None,
            way="relay",
            cluster=CLUSTER_WORKER,
        ),
    ]


def errors() -> list[ErrorRow]:
    """
    Give errors with ways out and without, the newest first.
    """
    return [
        ErrorRow(
            key=TOO_DEEP_KEY,
            type="LimitedProxyChaining",
            object="root",
            idx=3,
            objects=1,
            message=TOO_DEEP,
            cut="root.next.next",
            count=4,
            first=NOW - 20,
            last=NOW - 2,
            pids=(4101,),
            worker="SpawnPoolWorker-1",
            ways_out=(
                ("Allow one level more.", "%share root --max-chain 3"),
                ("Or ask the object for what is needed in one call.", ""),
            ),
            traceback="",
        ),
        ErrorRow(
            key=LOST_KEY,
            type="KeyError",
            object="cache",
            idx=2,
            objects=4,
            message="'lost'",
            cut="",
            count=15,
            first=NOW - 300,
            last=NOW - 5,
            pids=(4102, 4104),
            worker="SpawnPoolWorker-2",
            ways_out=(),
            traceback=KEY_ERROR,
        ),
    ]


def golden_text() -> str:
    """
    Write the snapshot as its file has it.
    """
    return msgspec.json.format(msgspec.json.encode(golden()), indent=2).decode() + "\n"


if __name__ == "__main__":
    GOLDEN_FILE.write_text(golden_text(), encoding="utf-8")
