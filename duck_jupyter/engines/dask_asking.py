"""
Questions to all workers of a Dask cluster, of which some may be silent.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ANSWER_S", "ask_workers"]

#: Seconds in which a worker answers.
ANSWER_S = 5.0


def ask_workers(
    client: Any, function: Callable[[], Any], workers: Iterable[str]
) -> dict[str, Any]:
    """
    Call a function in workers, and wait for those that answer in time.

    Args:
        client: The client.
        function: The function; the workers may lack its module if it is pickled by
            value.
        workers: The addresses of the workers.

    Returns:
        What it returned, by address. Workers that are silent, or in which it failed,
        are left out.
    """

    async def ask(worker: str) -> dict[str, Any]:
        # In the client's event loop this is a coroutine.
        asked = client.run(function, workers=[worker])
        found: dict[str, Any] = await asyncio.wait_for(asked, ANSWER_S)
        return found

    async def ask_all() -> list[Any]:
        answers = await asyncio.gather(*map(ask, workers), return_exceptions=True)
        return list(answers)

    found: dict[str, Any] = {}
    for answer in client.sync(ask_all):
        if not isinstance(answer, BaseException):
            found |= answer
    return found
