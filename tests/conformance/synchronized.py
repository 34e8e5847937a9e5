"""
CPython's tests of locks and kin, ``test.lock_tests``.
"""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any

from .loading import shim_of
from .stand_ins import maker_of

if TYPE_CHECKING:
    import unittest

__all__ = ["build"]

#: The test class, its attribute for what is tested, and what is tested.
KINDS = (
    ("LockTests", "locktype", threading.Lock),
    ("RLockTests", "locktype", threading.RLock),
    ("EventTests", "eventtype", threading.Event),
    ("ConditionTests", "condtype", threading.Condition),
    ("SemaphoreTests", "semtype", threading.Semaphore),
    ("BoundedSemaphoreTests", "semtype", threading.BoundedSemaphore),
    ("BarrierTests", "barriertype", threading.Barrier),
)


def build(on_proxies: bool) -> list[type[unittest.TestCase]]:
    """
    Make the test classes.

    Args:
        on_proxies: What is tested are proxies.
    """
    lock_tests: Any = importlib.import_module("test.lock_tests")
    if on_proxies:
        # A test makes the lock of a condition itself.
        names = {"Lock": maker_of(threading.Lock)}
        lock_tests.threading = shim_of(threading, names)
    found: list[Any] = []
    for name, attribute, maker in KINDS:
        tested = maker_of(maker) if on_proxies else maker
        space = {attribute: staticmethod(tested)}
        found.append(type(name, (getattr(lock_tests, name),), space))
    return found
