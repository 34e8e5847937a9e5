"""
The opcodes of requests and answers.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ProxyOpCode"]


class ProxyOpCode(IntEnum):
    """
    The first item of a frame; the comment shows the payload.
    """

    GET = 0  # [idx, attr]
    SET = 1  # [idx, attr, value]
    EXECUTE = 2  # [idx, method, args, kwargs]
    EXECUTION_RESULT = -1  # [idx, value, error]; error is None or a fault
    RESPONSE_PENDING = -2  # []
