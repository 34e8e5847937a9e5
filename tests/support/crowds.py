"""
Snapshots of many workers at many tasks.
"""

from __future__ import annotations

from typing import Any

import msgspec

from duck_jupyter.session.snapshot import as_plain

from .snapshots import golden

__all__ = ["crowd_at", "later"]

#: The share of its time that a worker computes at most, and its tasks in a second.
COMPUTES, TASKS_A_SECOND = 0.8, 26


def crowd_at(seconds: float, workers: int, tasks: int) -> dict[str, Any]:
    """
    Give a session in which a pool has begun with its tasks.

    Args:
        seconds: The time since the moment of the golden snapshot.
        workers: How many workers the pool has.
        tasks: How many tasks its function has.
    """
    change = msgspec.structs.replace
    known = golden()
    now = known.time + seconds
    pool, run, row = known.pools[2], known.runs[1], known.workers[0]
    return as_plain(
        change(
            known,
            time=now,
            pools=[change(pool, kind="loky", size=workers)],
            runs=[
                change(
                    run,
                    total=tasks,
                    total_known=True,
                    done=0,
                    failed=0,
                    first=now,
                    size=workers,
                )
            ],
            tasks=[],
            workers=[
                change(
                    row,
                    pid=5000 + number,
                    name=f"LokyProcess-{number}",
                    since=now - 1,
                    state="computing",
                    t_computing=0.0,
                    t_waiting=0.0,
                    tasks=0,
                    failed_tasks=0,
                )
                for number in range(workers)
            ],
        )
    )


def later(snapshot: dict[str, Any], seconds: float) -> dict[str, Any]:
    """
    Give the snapshot so many seconds later: all workers have gone on.
    """
    ended = round(TASKS_A_SECOND * seconds)
    seq = snapshot["seq"] + 1
    workers = [
        {
            **row,
            "t_computing": row["t_computing"] + seconds * COMPUTES * (1 - at % 5 / 9),
            "t_waiting": row["t_waiting"] + seconds * ((at + seq) % 7) / 60,
            "tasks": row["tasks"] + ended,
            "failed_tasks": row["failed_tasks"] + ((at * 37 + seq) % 991 == 0),
        }
        for at, row in enumerate(snapshot["workers"])
    ]
    (run,) = snapshot["runs"]
    done = run["done"] + ended * len(workers)
    return {
        **snapshot,
        "seq": seq,
        "time": snapshot["time"] + seconds,
        "workers": workers,
        "runs": [{**run, "done": min(done, run["total"] - 1)}],
    }
