"""
Ways out of an error: what a user can do next, as a sentence and lines to copy.

The lines work when they are pasted into a cell, and do not cause the next error.
"""

from __future__ import annotations

import re

from ..errors import (
    AccessDenied,
    DataTooBigError,
    DeadlockError,
    LimitedProxyChaining,
    ProxyObjectNotFound,
    VersionsAwaited,
)

__all__ = ["Ways", "ways_out"]

#: Steps of a path that can be typed, as ``.deeper``. A path does not have the arguments
#: of ``()`` and ``[]``.
STEPS = re.compile(r"(?:\.[^\W\d]\w*)+")

Ways = tuple[tuple[str, str], ...]


def ways_out(error: BaseException, name: str) -> Ways:
    """
    Return what to do about an exception; empty if no advice is known.

    Args:
        error: The exception.
        name: The shared name of the called object, or of the object through which it
            was reached; empty if there is none.

    Returns:
        Sentences, each with the lines to copy or "".
    """
    if isinstance(error, LimitedProxyChaining):
        return _of_cut_chain(error, name)
    if isinstance(error, AccessDenied):
        if not error.opened_by:
            return (("Call a method of the object that does this.", ""),)
        return (
            ("Share it with that name allowed as well.", error.opened_by),
            ("Share it without limits.", error.lifted_by),
        )
    if isinstance(error, VersionsAwaited):
        return (("Wait for the workers before the object is changed again.", ""),)
    if isinstance(error, DataTooBigError):
        return _of_too_big(error, name)
    if isinstance(error, DeadlockError):
        return (("Take the locks in one and the same order everywhere.", error.line),)
    if isinstance(error, ProxyObjectNotFound):
        line = f"%share {name}" if name.isidentifier() else ""
        return (("Share it again and pass the new proxy.", line),)
    return ()


def _of_cut_chain(error: LimitedProxyChaining, name: str) -> Ways:
    root = error.name or name
    longer = ("Allow longer chains.", error.line)
    limit = (longer,) if error.line else ()
    if not root.isidentifier():
        return (
            ("Fetch a copy, and take the steps there.", ""),
            ("Take the steps in one function that runs in the kernel.", ""),
            *limit,
        )
    rest = error.path.removeprefix(root)
    steps = rest if STEPS.fullmatch(rest) else f"  # and the steps: {rest}"
    function = f"def {root}_steps():\n    return shared.{root}{steps}"
    return (
        ("Fetch a copy, and take the steps there.", f"fetch(shared.{root})"),
        (
            f"Take the steps in a function of the kernel, shared.{root}_steps().",
            f"{function}\n%share {root}_steps",
        ),
        *limit,
    )


def _of_too_big(error: DataTooBigError, name: str) -> Ways:
    less = ("Send less at a time.", "")
    if not error.message_bytes:
        return (("See what takes the room.", "%duck doctor"), less)
    if not name.isidentifier():
        return (less,)
    limit = 1 << error.message_bytes.bit_length()
    return (
        (
            "Fetch the object: its data is mapped, and no message has to hold it.",
            f"fetch(shared.{name})",
        ),
        less,
        (
            "Raise the limit of a new server; share again, and pass the new proxies.",
            f"%config DuckJupyter.max_message = {limit}\n%duck stop",
        ),
    )
