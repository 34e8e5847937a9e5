"""
CPython's tests of a multiprocessing.Manager's objects, and proxies in their place.

The objects beside them are those of a Manager: no local object is meant to be passed to
another process.
"""

from __future__ import annotations

import array
import importlib
import multiprocessing
import queue
import threading
import types
import unittest
from multiprocessing import managers
from typing import Any

from .stand_ins import maker_of

__all__ = ["build"]

#: The tests of objects that a Manager gives; the others are those of its own API.
KINDS = (
    "_TestQueue",
    "_TestLock",
    "_TestSemaphore",
    "_TestCondition",
    "_TestEvent",
    "_TestBarrier",
    "_TestContainers",
)
MAKERS: dict[str, Any] = {
    "Queue": queue.Queue,
    "JoinableQueue": queue.Queue,
    "Lock": threading.Lock,
    "RLock": threading.RLock,
    "Semaphore": threading.Semaphore,
    "BoundedSemaphore": threading.BoundedSemaphore,
    "Condition": threading.Condition,
    "Event": threading.Event,
    "Barrier": threading.Barrier,
    # The type stubs do not have it.
    "Value": vars(managers)["Value"],
    "Array": array.array,
    "Namespace": managers.Namespace,
    "list": list,
    "dict": dict,
}


def build(on_proxies: bool) -> list[type[unittest.TestCase]]:
    """
    Make the test classes.

    Args:
        on_proxies: What is tested are proxies, in place of a Manager's.
    """
    tests = importlib.import_module("test._test_multiprocessing")
    mixin: Any = tests.ManagerMixin
    if on_proxies:
        makers = {name: maker_of(maker) for name, maker in MAKERS.items()}
        space = {
            "TYPE": "manager",
            "Process": multiprocessing.Process,
            "manager": types.SimpleNamespace(**makers),
            **{name: staticmethod(maker) for name, maker in makers.items()},
        }
        mixin = type("ProxyMixin", (tests.BaseMixin,), space)
    return [
        type(name.strip("_"), (getattr(tests, name), mixin, unittest.TestCase), {})
        for name in KINDS
    ]
