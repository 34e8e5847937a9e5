"""
How large the data of a run is, and how often each thing is measured.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FULL_DATA", "QUICK_DATA", "DataSize"]


class DataSize(NamedTuple):
    """
    Bytes, and repetitions. Ours and the peers take turns by rounds.
    """

    #: The frame that four tasks are given.
    frame: int
    task_rounds: int
    #: The array that is published, and the two that are fetched.
    array: int
    small_array: int
    publish_rounds: int
    fetch_rounds: int
    #: The frame that some workers read all of.
    read_frame: int
    readers: int


FULL_DATA = DataSize(
    frame=500_000_000,
    task_rounds=3,
    array=1_000_000_000,
    small_array=10_000_000,
    publish_rounds=5,
    fetch_rounds=15,
    read_frame=1_000_000_000,
    readers=4,
)
QUICK_DATA = DataSize(
    frame=4_000_000,
    task_rounds=1,
    array=8_000_000,
    small_array=1_000_000,
    publish_rounds=1,
    fetch_rounds=2,
    read_frame=8_000_000,
    readers=2,
)
