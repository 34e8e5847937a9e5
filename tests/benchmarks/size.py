"""
How long a run takes, and how much it can tell.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FULL", "QUICK", "Size"]


class Size(NamedTuple):
    """
    The repetitions of each measurement. Ours and the peer take turns by rounds.
    """

    rounds: int
    #: Calls a round, of ours and of the peer.
    calls: int
    peer_calls: int
    #: Seconds a round, with four clients.
    together_s: float
    together_rounds: int
    numbers: int
    idle_s: float
    busy_s: float
    busy_rounds: int
    shared: int
    fresh: int
    #: Forked workers, of each kind.
    forked: int
    counters_s: float
    counters_rounds: int


FULL = Size(
    rounds=9,
    calls=10_000,
    peer_calls=2_000,
    together_s=1.0,
    together_rounds=3,
    numbers=100_000,
    idle_s=5.0,
    busy_s=1.5,
    busy_rounds=4,
    shared=10_000,
    fresh=3,
    forked=41,
    counters_s=0.15,
    counters_rounds=40,
)
QUICK = Size(
    rounds=2,
    calls=1_000,
    peer_calls=200,
    together_s=0.2,
    together_rounds=1,
    numbers=2_000,
    idle_s=0.5,
    busy_s=0.3,
    busy_rounds=1,
    shared=500,
    fresh=1,
    forked=3,
    counters_s=0.1,
    counters_rounds=1,
)
