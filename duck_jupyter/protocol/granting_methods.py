"""
The methods of locks, conditions and queues that grant something to their caller.

A grant is taken back from a client that did not get it: the server keeps it until the
client acknowledges the answer, and the client executes no instruction after that.
"""

from __future__ import annotations

__all__ = ["ACQUIRING", "GRANTING", "NOTIFIED", "RELEASING", "TAKING"]

ACQUIRING = frozenset({"acquire", "acquire_lock"})
RELEASING = frozenset({"release"})
TAKING = frozenset({"get", "get_nowait"})
NOTIFIED = frozenset({"wait", "wait_for"})
GRANTING = ACQUIRING | RELEASING | TAKING | NOTIFIED
