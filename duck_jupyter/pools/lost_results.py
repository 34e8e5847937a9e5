"""
Lost results of a `multiprocessing.Pool`, for which the pool would wait forever.

This uses private names of ``multiprocessing.pool``, which are the same in CPython
3.10 to 3.14: ``_cache``, ``_set``, ``_number_left``, ``_index``, ``_set_length``.
"""

from __future__ import annotations

from typing import Any

from .tracebacks import dress

__all__ = ["fail", "result_of"]


def result_of(given: Any) -> Any:
    """
    Return the pool's own object in the result of a method of the pool, or None.
    """
    frame = getattr(given, "gi_frame", None)
    if frame is not None:
        # An `imap` with chunks: a generator over the chunks.
        given = frame.f_locals.get(".0")
    return given if hasattr(given, "_cache") and hasattr(given, "_job") else None


def fail(result: Any, error: BaseException) -> None:
    """
    Raise an error at once in the threads that wait for a result.
    """
    if result._job not in result._cache:
        return
    dress(error)
    if hasattr(result, "_index"):
        result._set(result._index, (False, error))
        if result._job in result._cache:
            # The wait for later items ends as well.
            result._set_length(result._index)
        return
    if hasattr(result, "_number_left"):
        result._number_left = 1
    result._set(0, (False, error))
