"""
Running awaitables of the kernel for workers that await their proxies.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

__all__ = ["end_loop", "run_awaitable"]

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def run_awaitable(target: Any, *args: Any) -> Any:
    """
    Wait for an awaitable in the event loop that it belongs to.

    A future or task runs in its own loop, so it waits while a cell blocks that loop. A
    coroutine runs in the server's own loop.

    Args:
        target: An awaitable, or a function that returns one for `args`.
        args: The arguments for the function, if any.

    Raises:
        BaseException: Raised by the awaitable.
    """
    get_loop = getattr(target, "get_loop", None)
    loop = get_loop() if callable(get_loop) and not args else _own_loop()

    async def wait() -> Any:
        return await (target(*args) if args else target)

    return asyncio.run_coroutine_threadsafe(wait(), loop).result()


def _own_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(
                target=_run_loop, args=(_loop,), name="duck-loop", daemon=True
            ).start()
        return _loop


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def end_loop() -> None:
    """
    End the server's own event loop, if there is one.
    """
    global _loop
    with _lock:
        loop, _loop = _loop, None
    if loop is not None:
        loop.call_soon_threadsafe(loop.stop)
