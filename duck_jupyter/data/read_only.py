"""
Objects for which read-only memory is as good as memory of their own.

Polars and Arrow never write to memory that came from elsewhere. pandas from 3.0 on
copies what is written to, if other objects use it too ("Copy-on-Write" in its user
guide). Threads of one process can share one mapping for such objects.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import Any

__all__ = ["keep_unwritten", "may_be_unwritten"]

#: The first version of pandas that always copies on write.
COPIES_ON_WRITE = 3


def may_be_unwritten(value: Any) -> bool:
    """
    Return whether `keep_unwritten` may succeed for an object in another process.
    """
    kind = type(value)
    library = str(kind.__module__).partition(".")[0]
    if library not in ("pandas", "polars", "pyarrow"):
        return False
    module: Any = sys.modules[library]
    if library == "pyarrow":
        kinds = (module.Table, module.RecordBatch, module.Array, module.ChunkedArray)
        return isinstance(value, kinds)
    return kind in (module.DataFrame, module.Series)


def keep_unwritten(value: Any) -> bool:
    """
    Let an object that was just rebuilt over read-only memory copy what is written to.

    Returns:
        Whether all writes through its methods succeed.
    """
    if not may_be_unwritten(value):
        return False
    if type(value).__module__.partition(".")[0] != "pandas":
        return True
    with contextlib.suppress(AttributeError):  # pandas may change what is its own
        return _keep_pandas_unwritten(value)
    return False


def _keep_pandas_unwritten(value: Any) -> bool:
    major = int(sys.modules["pandas"].__version__.partition(".")[0])
    blocks = value._mgr.blocks
    # Writes to arrays that are attributes or cells do not go through pandas.
    if major < COPIES_ON_WRITE or value.attrs or any(b.dtype == object for b in blocks):
        return False
    for block in blocks:
        block.refs.add_reference(_other_block())
    return True


@functools.lru_cache(maxsize=1)
def _other_block() -> Any:
    """
    Return a block that lives as long as the process; with it, memory has two users.
    """
    import pandas as pd

    return pd.Series([0])._mgr.blocks[0]
