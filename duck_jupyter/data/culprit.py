"""
Which member of an object cannot be pickled, by the path that leads to it.
"""

from __future__ import annotations

from typing import Any

__all__ = ["describe_culprit"]


def describe_culprit(value: Any, name: str, found: Any, error: BaseException) -> str:
    """
    Give the sentence that tells what cannot be pickled, and what to do.

    Args:
        value: What was to be pickled.
        name: What messages call it.
        found: The object at which pickling stopped.
        error: What pickle said.
    """
    return (
        f"{name} cannot be published: it holds a {type(found).__name__}: "
        f"{type(error).__name__}: {error}"
    )
