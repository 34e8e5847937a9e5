"""
What a server does, in words.
"""

from __future__ import annotations

from .text import many

__all__ = ["serving_in_words", "state_in_words"]


def serving_in_words(objects: int, workers: int, *, called: bool) -> str:
    """
    Say what a server does, as a sentence without its end.

    Args:
        objects: How many are shared.
        workers: How many are connected.
        called: A worker has called, or was handed an object, already.
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
    Say in a few words what a server is doing.

    Args:
        objects: How many objects it has, those reached through others among them.
        workers: How many processes are connected.
        running: It answers.
    """
    if not running:
        return "not running"
    return f"running, {many(objects, 'object')}, {many(workers, 'worker')}"
