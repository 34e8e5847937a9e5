"""
What another worker sees of the objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duck_jupyter import ProxyError, locked

from .stepping import describe, follow_up

if TYPE_CHECKING:
    from .bench import Kit


def look_from_beside(kit: Kit, lock: str | None, in_time: float) -> list[str]:
    """
    Take the locks and call, from a worker that nothing was done to.

    Args:
        kit: The proxies.
        lock: A lock of theirs, or None.
        in_time: Seconds in which a lock has to be free.

    Returns:
        What is wrong.
    """
    try:
        with locked(kit.desk, timeout=in_time) as desk:
            desk.echo("inside")
        if lock is not None:
            shared = getattr(kit, lock)
            if not shared.acquire(True, in_time):
                return [f"another worker does not get the {lock}"]
            shared.release()
    except (ProxyError, RuntimeError) as error:
        return [f"another worker: {describe(error)}"]
    return [f"another worker: {fault}" for fault in follow_up(kit, "beside")]
