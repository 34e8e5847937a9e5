"""
The peer: what the standard library offers for the same purpose.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.managers import SyncManager
from typing import Any, NamedTuple

from .workloads import ANSWER, Target

__all__ = ["Peer", "start_manager"]


class TargetManager(SyncManager):
    """
    A manager that also has targets.
    """


TargetManager.register("Target", Target)


class Peer(NamedTuple):
    """
    One Manager, and the proxies of what it holds.
    """

    manager: TargetManager
    namespace: Any
    target: Any
    numbers: Any


def start_manager(numbers: int) -> Peer:
    """
    Start a Manager in a process of its own; whoever does shuts it down.

    Args:
        numbers: The length of its list.
    """
    manager = TargetManager(ctx=multiprocessing.get_context("spawn"))
    manager.start()
    namespace = manager.Namespace()
    namespace.a = ANSWER
    target = manager.Target()  # type: ignore[attr-defined] # made by register
    return Peer(manager, namespace, target, manager.list(range(numbers)))
