"""
Sentences about the state of a server.
"""

from __future__ import annotations

from .text import many

__all__ = ["serving_in_words", "state_in_words"]


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
