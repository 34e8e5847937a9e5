"""
The kinds of rounds, and what a seed makes of each.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

__all__ = ["KINDS", "Plan", "make_plan"]

KINDS = ("signals on one core", "signals on two cores", "kills", "crowd", "nested")

#: A spawned worker takes half a second to start, so it lives longer.
SPAWNED_SLOWER = 5

MIXED = {
    "add": 3,
    "echo": 3,
    "give": 2,
    "take": 2,
    "locked": 2,
    "gate": 2,
    "acquire": 1,
    "get": 3,
    "stream": 2,
    "attribute": 2,
}
LARGE = {"give": 4, "echo": 2, "take": 2, "add": 1}
LOCKS = {"locked": 3, "gate": 3, "acquire": 1, "add": 1}
ITEMS = {"get": 3, "stream": 2, "add": 1}
#: What a round with signals or kills is about: a mixture finds less of each.
FOCUS = (MIXED, LARGE, LOCKS, ITEMS)
#: One call in ten is under `locked`.
CROWD = {"add": 4, "echo": 2, "give": 1, "attribute": 1, "get": 1, "locked": 1}
NESTED = {"add": 3, "echo": 3, "give": 2, "take": 2, "locked": 1, "gate": 1, "get": 1}


@dataclass(frozen=True)
class Plan:
    """
    One round.
    """

    kind: str
    seed: int
    #: How long the workers work, in seconds.
    seconds: float
    method: str = "fork"
    #: The cores that all processes of the round share; 0 for all of the machine.
    cores: int = 0
    workers: int = 3
    #: Threads of a worker; the first is its main thread, which gets the signals.
    threads: int = 1
    #: Mean time between two SIGINTs, and between two SIGKILLs; 0 for none.
    interrupt_every_s: float = 0.0
    kill_every_s: float = 0.0
    #: The part of operations that a SIGALRM cuts, and in whose middle one calls.
    raising: float = 0.0
    calling: float = 0.0
    #: How often each operation is chosen.
    weights: dict[str, int] = field(default_factory=dict)
    #: Bytes of the smallest and of the largest payload.
    least: int = 10
    largest: int = 1_000_000
    #: Objects between two garbage collections, which call as well; 0 for no such.
    collect_after: int = 0
    #: Keep the time of each call.
    timed: bool = False
    #: Without progress for so many seconds a worker counts as hung.
    hang_s: float = 20.0
    #: How long what was left is waited for, in seconds.
    settle_s: float = 5.0


def make_plan(kind: str, seed: int, seconds: float, *, quick: bool = False) -> Plan:
    """
    Make the round that a seed stands for.

    Args:
        kind: One of `KINDS`.
        seed: Any whole number.
        seconds: How long the workers work.
        quick: A smaller crowd.
    """
    chosen = random.Random(f"{kind} {seed}")
    method = "spawn" if chosen.random() < 0.2 else "fork"
    weights = chosen.choice(FOCUS)
    least = 50_000 if weights is LARGE else 10
    slower = 1 if method == "fork" else SPAWNED_SLOWER
    if kind.startswith("signals"):
        return Plan(
            kind,
            seed,
            seconds,
            method,
            cores=1 if kind == KINDS[0] else 2,
            workers=chosen.choice([2, 3, 4]),
            interrupt_every_s=chosen.choice([0.002, 0.005, 0.02]),
            kill_every_s=chosen.choice([0.2, 0.5]) * slower,
            raising=0.5,
            calling=0.2,
            weights=weights,
            least=least,
        )
    if kind == "kills":
        return Plan(
            kind,
            seed,
            seconds,
            method,
            workers=4,
            kill_every_s=chosen.choice([0.02, 0.05, 0.1]) * slower,
            weights=weights,
            least=least,
        )
    if kind == "crowd":
        return Plan(
            kind,
            seed,
            seconds,
            workers=16 if quick else 64,
            threads=4,
            weights=CROWD,
            largest=100_000,
            timed=True,
        )
    if kind == "nested":
        return Plan(
            kind,
            seed,
            seconds,
            method,
            workers=2,
            threads=3,
            calling=0.7,
            weights=NESTED,
            largest=300_000,
            collect_after=20,
        )
    raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}.")
