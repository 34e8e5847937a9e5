"""
A pool of a library that pickles by itself, as some do.
"""

from __future__ import annotations

import multiprocessing
import pickle
from typing import TYPE_CHECKING, Any

from tests.support.pools import DEADLINE_S

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["call_in_worker"]


def call_in_worker(function: Any, *args: Any) -> Any:
    """
    Call a function in a spawned worker, which gets it by plain pickle.

    Raises:
        Exception: What the worker raised.
    """
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_serve, args=(its,))
    process.start()
    its.close()
    ours.send_bytes(pickle.dumps((function, args)))
    assert ours.poll(DEADLINE_S)
    is_right, value = pickle.loads(ours.recv_bytes())
    process.join(DEADLINE_S)
    if not is_right:
        raise value
    return value


def _serve(connection: Connection) -> None:
    try:
        function, args = pickle.loads(connection.recv_bytes())
        answer = True, function(*args)
    except Exception as error:  # the caller's
        answer = False, error
    connection.send_bytes(pickle.dumps(answer))
