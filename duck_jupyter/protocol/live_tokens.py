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

__all__ = ["live_token", "salt"]

SALT_BYTES = 8


def live_token(_: object) -> str:
    """
    Return a new token: the ``__dask_tokenize__`` of what is live.
    """
    return os.urandom(16).hex()


def salt() -> tuple[bytes, ...]:
    """
    Return what makes two pickles of a live object differ, where Dask is loaded.
    """
    return (os.urandom(SALT_BYTES),) if "dask" in sys.modules else ()
