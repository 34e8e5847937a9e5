"""
Pickling in a worker: functions and classes of the notebook are sent as their names.
"""

from __future__ import annotations

import pickle
import threading
from typing import Any

from ..data.pickler_hooks import Taps
from .mirror import mirror, sent_back, sent_on
from .names import is_of_module, is_own, path_of
from .pool_state import is_cloudpickle
from .worker import is_in_task

__all__ = ["open_in_worker"]


def open_in_worker() -> None:
    """
    Register in the picklers of this worker.
    """
    _taps.open()


def _reduce(pickler: Any, value: Any) -> Any:
    if not is_own(value) or (is_of_module(value) and is_cloudpickle(pickler)):
        return NotImplemented
    path = path_of(value)
    top = "" if path is None else path.partition(".")[0]
    number = mirror.number_of(top)
    if path is not None and _is_result():
        if top not in mirror.code:
            raise pickle.PicklingError(
                f"the notebook does not have {path}: a task has defined it in the "
                "worker. Define it in a cell"
            )
        return sent_back, (path, number)
    # The receiver is another process, or the notebook through a queue.
    from ._cell_pickler import track  # needs cloudpickle, which few workers need
    from .cells import bundle_of

    return sent_on, (path or "", number, track(value), *bundle_of(value))


def _is_result() -> bool:
    """
    Return whether a task's result is pickled, or its error.

    A pool pickles the result in the main thread, after the task.
    """
    is_main = threading.current_thread() is threading.main_thread()
    return mirror.is_returned or (is_main and not is_in_task())


def _nothing() -> None:
    """
    There are no shared objects in a worker to be looked for.
    """


_taps = Taps(_nothing, {}, _nothing, [_reduce])
