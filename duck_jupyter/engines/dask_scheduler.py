"""
The code that runs on Dask's scheduler and on workers that may not have this package.

It is pickled with its code, so it imports nothing but Dask. The plugin holds no data.
"""

from __future__ import annotations

import importlib
from typing import Any

from distributed import SchedulerPlugin

__all__ = ["LEFT", "VERSION_KEY", "DuckVersions", "package_version", "topic_of"]

#: The keys of versions: ``duck-version-KERNEL-TOKEN-NUMBER``.
VERSION_KEY = "duck-version-"
#: The topic of workers that left.
LEFT = "duck-left"


def topic_of(kernel: str) -> str:
    """
    Return the topic of the messages to a kernel.
    """
    return f"duck-{kernel}"


class DuckVersions(SchedulerPlugin):  # type: ignore[misc, unused-ignore]
    """
    Reports versions that no task can ask for any more, and workers that left.
    """

    name = "duck-versions"
    idempotent = True

    async def start(self, scheduler: Any) -> None:
        """
        Take the scheduler.
        """
        self.scheduler = scheduler

    def transition(
        self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any
    ) -> None:
        """
        Report a key that is forgotten: no future and no task needs it any more.
        """
        if (
            finish == "forgotten"
            and isinstance(key, str)
            and key.startswith(VERSION_KEY)
        ):
            kernel = key[len(VERSION_KEY) :].partition("-")[0]
            self.scheduler.log_event(topic_of(kernel), {"forgotten": key})

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """
        Report a worker that left.
        """
        scheduler.log_event(LEFT, {"left": worker})


def package_version() -> str:
    """
    Return the version of this package in a worker, or "" if there is none.
    """
    try:
        return str(importlib.import_module("duck_jupyter").__version__)
    except ImportError:
        return ""
