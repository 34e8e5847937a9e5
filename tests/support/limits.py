"""
A limit of the system that holds for a while in this process.
"""

from __future__ import annotations

import contextlib
import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def soft_limit(kind: int, value: int) -> Iterator[None]:
    """
    Set the soft limit of a resource, and restore it at the end.

    Args:
        kind: One of ``resource.RLIMIT_*``.
        value: The limit, in its unit.
    """
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (value, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)
