"""
The methods of locks, conditions and queues that give something to their caller.

What they give is taken back from a caller who did not get it: the server keeps it until
the client acknowledges the answer, and no instruction of the client comes after that.
"""

from __future__ import annotations

__all__ = ["ACQUIRING", "GRANTING", "NOTIFIED", "RELEASING", "TAKING"]

ACQUIRING = frozenset({"acquire", "acquire_lock"})
RELEASING = frozenset({"release"})
TAKING = frozenset({"get", "get_nowait"})
NOTIFIED = frozenset({"wait", "wait_for"})
GRANTING = ACQUIRING | RELEASING | TAKING | NOTIFIED
