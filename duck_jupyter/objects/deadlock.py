"""
The error for a claim to a lock that would close a circle of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DeadlockError
from .titles import expression_of, title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .claims import Claim

__all__ = ["deadlock_of"]


def deadlock_of(links: Sequence[tuple[Claim, Claim]]) -> DeadlockError:
    """
    Make the error for the refused claim.

    Args:
        links: For each thread of the circle, the claim that it holds and the claim that
            waits. The refused claim is the last one.
    """
    wanted = links[-1][1]
    parts = [
        f"{held.worker} holds {title_of(held.entry)} and "
        f"{'asks' if waits is wanted else 'waits'} for {title_of(waits.entry)}"
        for held, waits in links
    ]
    line, order = _order_of([held for held, _ in links])
    error = DeadlockError(
        f"The lock of {title_of(wanted.entry)} would never become free for "
        f"{wanted.worker}, because threads would wait for each other in a circle: "
        f"{'; '.join(parts)}. All of them must take these locks in the same "
        f"order{order}"
    )
    error.line = line
    return error


def _order_of(claims: Sequence[Claim]) -> tuple[str, str]:
    """
    Choose an order of the locks that is the same for any refused claim.

    Returns:
        A line that takes the locks, or ""; and the end of the message.
    """
    expressions = sorted(expression_of(claim.entry) for claim in claims)
    if all(expressions):
        locks = ", ".join(f"locked({each})" for each in expressions)
        line = f"with {locks}:"
        return line, (
            "; a worker uses the proxies that were passed to it. In the notebook: "
            f"{line}"
        )
    titles = sorted(title_of(claim.entry) for claim in claims)
    return "", f", such as first {', then '.join(titles)}."
