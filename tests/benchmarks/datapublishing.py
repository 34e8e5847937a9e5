"""
Publishing, handing over and fetching an array, each by itself.
"""

from __future__ import annotations

import statistics
from multiprocessing.reduction import ForkingPickler
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from duck_jupyter import share, unshare

from .datatasks import milliseconds
from .dataworkers import fetch_often, load, make_array, make_mixed
from .station import Station
from .table import Row, not_above, within

if TYPE_CHECKING:
    from .datasizes import DataSize

__all__ = ["measure_fetch", "measure_handles", "measure_publishing"]

HANDLE_COLUMNS = (1, 10, 100)
HANDLE_BYTES = 2048
#: Hand-overs of what does not change, before one is timed again.
UNCHANGED = 5

Array = np.ndarray[Any, Any]


class Side(NamedTuple):
    """
    What is published, and the worker that gets it.
    """

    array: Array
    worker: Station

    def hand_over(self, keep: bool = False) -> float:
        """
        Pickle the array for the worker, who loads it, and perhaps keeps it.

        Returns:
            The milliseconds of pickling, which is all that the kernel does.
        """
        made: list[Any] = []
        took = milliseconds(lambda: made.append(ForkingPickler.dumps(self.array)))
        self.worker.run(load, bytes(made[0]), keep)
        return took


def copy_to_new(array: Array) -> float:
    """
    Copy into shared memory that is made for it.
    """
    made: list[SharedMemory] = []

    def copy() -> None:
        made.append(SharedMemory(create=True, size=array.nbytes))
        np.copyto(np.ndarray(array.shape, array.dtype, made[0].buf), array)

    took = milliseconds(copy)
    made[0].close()
    made[0].unlink()
    return took


def publish_round(side: Side, warm: Array, times: dict[str, list[float]]) -> None:
    """
    Do everything once, ours and numpy's by turns.
    """
    array = side.array

    def note(what: str, took: float) -> None:
        times.setdefault(what, []).append(took)

    note("write", milliseconds(lambda: np.negative(array, out=array)))
    note("copy to new", copy_to_new(array))
    share(array, "array")
    note("first", side.hand_over())
    note("copy to warm", milliseconds(lambda: np.copyto(warm, array)))
    note("unchanged", side.hand_over())
    # From now on the system may be asked what was written to, at the writer's expense.
    for _ in range(UNCHANGED):
        again = side.hand_over()
    note("unchanged again", again)
    note("write watched", milliseconds(lambda: np.negative(array, out=array)))
    note("all changed", side.hand_over())
    note("copy to warm", milliseconds(lambda: np.copyto(warm, array)))
    array[len(array) // 2] += 1
    note("one changed", side.hand_over(keep=True))
    np.negative(array, out=array)
    note("changed and mapped", side.hand_over())
    note("copy to warm", milliseconds(lambda: np.copyto(warm, array)))
    unshare("array")
    share(array, "array", frozen=True)
    side.hand_over()
    note("frozen", side.hand_over())
    unshare("array")


def measure_publishing(size: DataSize) -> list[Row]:
    """
    Measure the kernel's part of handing an array over, beside ``np.copyto``.
    """
    times: dict[str, list[float]] = {}
    array = make_array(size.array)
    # Every page of it has been written to, and it is ordinary memory of this process.
    warm = array.copy()
    with Station("array-worker") as worker:
        side = Side(array, worker)
        publish_round(side, warm, {})
        for _ in range(size.publish_rounds):
            publish_round(side, warm, times)
    found = {what: statistics.median(samples) for what, samples in times.items()}
    new, old = found["copy to new"], found["copy to warm"]
    again = f"publish {size_of(size.array)} again"
    unchanged = f"hand over {size_of(size.array)} unchanged"
    return [
        within(f"publish {size_of(size.array)} first", "ms", found["first"], new, 0.9),
        within(f"{again}, all changed", "ms", found["all changed"], old, 1.5),
        within(f"{again}, one number changed", "ms", found["one changed"], old, 1.5),
        Row(f"{again}, a worker maps it", "ms", found["changed and mapped"], old),
        within(f"{unchanged}, just published", "ms", found["unchanged"], old, 1),
        within(f"{unchanged} for some time", "ms", found["unchanged again"], old, 1),
        not_above(f"hand over {size_of(size.array)}, frozen", "ms", found["frozen"], 1),
        Row(
            f"write to {size_of(size.array)} after that, beside unshared",
            *("ms", found["write watched"], found["write"]),
        ),
    ]


def measure_fetch(size: DataSize) -> list[Row]:
    """
    Measure ``fetch`` in a worker that has the array mapped, and in one that has not.
    """
    rows = []
    with Station("fetching-worker") as worker:
        for count in (size.array, size.small_array):
            array = make_array(count)
            for frozen in (False, True):
                rows += fetch_rows(worker, array, frozen, size)
    return rows


def fetch_rows(
    worker: Station, array: Array, frozen: bool, size: DataSize
) -> list[Row]:
    """
    Measure ``fetch`` of one array, the first one after it was published for itself.
    """
    first: list[float] = []
    for _ in range(size.publish_rounds):
        proxy = share(array, "array", frozen=frozen)
        # What connects and what publishes is none of fetch's.
        worker.run(fetch_often, proxy, 1, False)
        first += worker.run(fetch_often, proxy, 1, False)
        none = worker.run(fetch_often, proxy, size.fetch_rounds, False)
        mapped = worker.run(fetch_often, proxy, size.fetch_rounds, True)
        unshare("array")
    what = f"fetch {size_of(array.nbytes)}" + ", frozen" * frozen
    return [
        not_above(f"{what}, just published", "ms", statistics.median(first), 5),
        not_above(f"{what}", "ms", statistics.median(none), 5),
        not_above(f"{what}, mapped already", "ms", statistics.median(mapped), 0.5),
    ]


def measure_handles() -> list[Row]:
    """
    Measure the bytes that go to a worker in place of a frame.
    """
    rows = []
    for columns in HANDLE_COLUMNS:
        frame = make_mixed(columns)
        share(frame, "frame")
        found = float(len(ForkingPickler.dumps(frame)))
        unshare("frame")
        what = f"a handle, {columns} column" + "s" * (columns > 1)
        reach = f"under {HANDLE_BYTES:,}"
        rows.append(Row(what, "bytes", found, None, reach, found < HANDLE_BYTES))
    return rows


def size_of(count: int) -> str:
    """
    Write a size in words.
    """
    return f"{count / 1e9:g} GB" if count >= 1e9 else f"{count / 1e6:g} MB"
