"""
The picklers of pools as they are now, to be compared with what they were.
"""

from __future__ import annotations

import importlib
import sys
from multiprocessing.reduction import ForkingPickler
from typing import Any

__all__ = ["load_all", "look_at"]

_LOKY = "loky.backend.reduction"


def load_all() -> None:
    """
    Import every module with a pickler of pools.
    """
    for name in (_LOKY, f"joblib.externals.{_LOKY}", "joblib.pool"):
        importlib.import_module(name)


def look_at() -> list[Any]:
    """
    Give all that belongs to others and is ours while something is handed over.
    """
    loky = [sys.modules.get(name) for name in (_LOKY, f"joblib.externals.{_LOKY}")]
    pool = sys.modules.get("joblib.pool")
    return [
        list(sys.meta_path),
        dict(vars(ForkingPickler)),
        dict(ForkingPickler._extra_reducers),  # type: ignore[attr-defined]
        [vars(module).get("dump") for module in loky if module],
        [dict(vars(module._LokyPickler)) for module in loky if module],
        dict(vars(pool.CustomizablePickler)) if pool else None,
    ]
