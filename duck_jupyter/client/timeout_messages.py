"""
Messages for timeouts.
"""

from __future__ import annotations

from ..errors import ProxyTimeout

__all__ = ["lock_timeout", "no_answer"]


def no_answer(who: str, timeout: float | None) -> ProxyTimeout:
    """
    Make the error for an answer that did not come in time.

    Args:
        who: The server.
        timeout: The time limit in seconds.
    """
    return ProxyTimeout(
        f"No answer came within {timeout} s from {who}. The object may still be "
        "working on it; its late answer will be dropped. To wait longer, set a larger "
        "timeout."
    )


def lock_timeout(what: str, holder: str, timeout: float | None) -> ProxyTimeout:
    """
    Make the error for a lock that did not become free in time.

    Args:
        what: The object.
        holder: The holder of the lock; empty if it is not known.
        timeout: The time limit in seconds.
    """
    who = f"{holder} is" if holder else "another thread is, or was until just now,"
    return ProxyTimeout(
        f"The lock of {what} did not become free within {timeout} s: {who} inside "
        "locked(...) with it. Give locked() a larger timeout, or let the holder do "
        "less inside its block. In the notebook, statistics().waits shows which "
        "thread waits for which."
    )
