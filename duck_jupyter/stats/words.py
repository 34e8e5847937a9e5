"""
Sentences about the state of a server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .text import exact, many

if TYPE_CHECKING:
    from .worker_rows import ClusterWorker

__all__ = ["cluster_doing", "serving_in_words", "state_in_words"]


def cluster_doing(worker: ClusterWorker) -> str:
    """
    Return what a cluster says that its worker does, or nothing.

    ``workerwords.ts`` has the same words, and ``tests/data/formats.json`` is the table
    of both.
    """
    parts = []
    if worker.state not in ("", "running"):
        parts.append(worker.state.replace("_", " "))
    if worker.running is not None:
        parts.append(many(worker.running, "task") if worker.running else "no task")
    if worker.waiting:
        parts.append(f"{exact(worker.waiting)} waiting")
    return ", ".join(parts)


def serving_in_words(objects: int, workers: int, *, called: bool) -> str:
    """
    Describe the state of a server in a sentence without a full stop.

    Args:
        objects: How many are shared.
        workers: How many are connected.
        called: Whether a worker has called, or was handed an object.
    """
    if not objects:
        return "Ready, nothing shared yet"
    words = f"Serving {many(objects, 'object')}"
    if workers:
        return f"{words} to {many(workers, 'worker')}"
    if called:
        return f"{words}; no worker is connected now"
    return f"{words}; no worker has connected yet"


def state_in_words(objects: int, workers: int, running: bool) -> str:
    """
    Describe the state of a server in a few words.

    Args:
        objects: The number of its objects, including those reached through others.
        workers: How many processes are connected.
        running: Whether it answers.
    """
    if not running:
        return "not running"
    return f"running, {many(objects, 'object')}, {many(workers, 'worker')}"
