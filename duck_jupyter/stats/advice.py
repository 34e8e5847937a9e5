"""
Ways out of an error: what a user can do next, as a sentence and a line to copy.
"""

from __future__ import annotations

from ..errors import (
    AccessDenied,
    DataTooBigError,
    DeadlockError,
    LimitedProxyChaining,
    ProxyObjectNotFound,
)

__all__ = ["ways_out"]


def ways_out(error: BaseException, object_name: str) -> tuple[tuple[str, str], ...]:
    """
    Give what to do about an exception; empty where only its reader can know.

    Args:
        error: The exception.
        object_name: The name or path of the object that was called.
    """
    name = object_name.partition(".")[0].partition("[")[0].partition("(")[0]
    if isinstance(error, LimitedProxyChaining):
        return (
            ("Take the steps in one function that runs in the kernel.", ""),
            ("Share the object in the middle of the path.", "%share MIDDLE"),
            (
                "Allow longer chains.",
                f"%share {name} --max-chain {error.max_level + 1}",
            ),
        )
    if isinstance(error, AccessDenied):
        if not error.opened_by:
            return (("Call a method of the object that does this.", ""),)
        return (
            ("Share it with that name allowed as well.", error.opened_by),
            ("Share it without limits.", f"%share {name}"),
        )
    if isinstance(error, DataTooBigError):
        return (
            ("Send less at a time.", ""),
            ("Raise the limit.", "c.DuckJupyter.max_message = 2**32"),
        )
    if isinstance(error, DeadlockError):
        return (("Take the locks in one and the same order everywhere.", error.line),)
    if isinstance(error, ProxyObjectNotFound):
        line = f"%share {name}" if name.isidentifier() else ""
        return (("Share it again and pass the new proxy.", line),)
    return ()
