"""
What another worker sees of the objects.
"""

from __future__ import annotations

import pickle

from duck_jupyter import ProxyError, locked

from .bench import Kit, is_array
from .stepping import describe, follow_up


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
            if desk.echo("inside") != "inside":
                return ["another worker gets a wrong answer"]
        if lock is not None:
            shared = getattr(kit, lock)
            if not shared.acquire(True, in_time):
                return [f"another worker does not get the {lock}"]
            shared.release()
    except (ProxyError, RuntimeError) as error:
        return [f"another worker: {describe(error)}"]
    return []


def look_at_proxies(pickles: list[bytes], tag: str) -> list[str]:
    """
    Call what an owner of objects has shared, and say what is wrong.
    """
    found: list[str] = []
    try:
        for data in pickles:
            found += follow_up(Kit(pickle.loads(data)), tag)
    except ProxyError as error:
        found.append(f"the proxy cannot be unpickled: {describe(error)}")
    return [f"another worker: {fault}" for fault in found]


def look_at_arrays(pickles: list[bytes]) -> list[str]:
    """
    Take what an owner of an array has handed over, and say what is wrong.
    """
    try:
        right = [is_array(pickle.loads(data)) for data in pickles]
    except ProxyError as error:
        return [f"another worker: {describe(error)}"]
    return [] if all(right) else ["another worker gets another array"]
