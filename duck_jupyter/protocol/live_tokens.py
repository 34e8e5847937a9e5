"""
Tokens by which Dask tells arguments apart.

Dask takes equal arguments for an equal task, and runs it once. A live object may differ
at each call, so it has another token each time (``__dask_tokenize__``, see
"Deterministic Hashing" in Dask's documentation). Dask makes the token of an object that
holds a live one from its pickle, so that differs as well.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["live_token", "salt"]

SALT_BYTES = 8
#: The modules of Dask that make tokens; the second one did before 2024.9.
TOKENIZERS = frozenset({"dask.tokenize", "dask.base"})


def live_token(_: object) -> str:
    """
    Return a new token: the ``__dask_tokenize__`` of what is live.
    """
    return os.urandom(16).hex()


def salt() -> tuple[bytes, ...]:
    """
    Return what makes each pickle of a live object differ, if Dask makes a token of it.

    Any other pickle is the same each time.
    """
    if "dask" in sys.modules:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_globals.get("__name__") in TOKENIZERS:
                return (os.urandom(SALT_BYTES),)
            frame = frame.f_back
    return ()
