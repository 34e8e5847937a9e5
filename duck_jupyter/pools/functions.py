"""
The feature that sends functions of cells in the state in which they were submitted.
"""

from __future__ import annotations

import functools
import multiprocessing.popen_fork
import os
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..data.handover import handover
from ..data.replacements import Replacements
from . import large
from . import mirror as made
from ._cell_pickler import class_of
from .cells import Sent, bundle_of, find, forget_unbound, number_all, numbers, sent
from .features import Feature
from .mirror import main, mirror
from .names import is_of_module, is_own
from .pool_state import has_cloudpickle, is_cloudpickle
from .reloaded import Reloaded, after_fork, note_modules, reloads
from .shared_names import SharedNames
from .tasks import change_batch, is_chunk
from .waiting import wait_for_workers

if TYPE_CHECKING:
    from .tasks import Task

__all__ = ["Functions"]

NO_MAP = (None, None)
#: What a worker that is being forked has in place of `shared`.
_inherited: dict[str, SharedNames] = {}


class Functions(Feature):
    """
    Sends functions and classes of cells in the pickles of pools.
    """

    def __init__(self) -> None:
        self._replaced = Replacements()
        #: Whether the reloaded modules are known for the rest of the cell.
        self._has_looked = False
        #: The function that a map submits for each chunk, and its replacement.
        self._last: tuple[Any, Any] = NO_MAP
        #: For a pool: its workers, and the lowest number at which one was forked.
        self._known: WeakKeyDictionary[Any, tuple[tuple[Any, ...], int]]
        self._known = WeakKeyDictionary()

    def open(self) -> None:
        """
        Register in the picklers.
        """
        mirror.is_kernel = True
        note_modules()
        mirror.find = find
        mirror.find_class = class_of
        handover.add_reducer(reduce)
        self._replaced.put(multiprocessing.popen_fork.Popen, "_launch", _launch)

    def close(self) -> None:
        """
        Restore the picklers.
        """
        self._replaced.restore()
        self._last = NO_MAP
        large.close()
        handover.discard_reducer(reduce)
        mirror.is_kernel = False

    def before_submit(self, task: Task) -> None:
        """
        Replace the function by its present state.
        """
        function = task.function
        last, made_of_it = self._last
        if last is not None and function is last:
            # The next chunk of the same map.
            task.function = made_of_it
        else:
            handover.follow()
            wait_for_workers(lambda: self._take(task))
            self._last = (function, task.function) if is_chunk(function) else NO_MAP

    def _take(self, task: Task) -> None:
        taken = functools.partial(
            sent,
            inherited=self._inherited(task.pool),
            by_value=has_cloudpickle(task.pool),
        )
        batch = change_batch(task.original, lambda call: (taken(call[0]), *call[1:]))
        task.function = taken(batch)
        if not self._has_looked:
            note_modules()
            self._has_looked = True
        counts = reloads()
        if counts:
            task.function = Reloaded(counts, task.function)
        if any(map(is_own, task.args if not task.is_map else ())):
            task.args = tuple(map(taken, task.args))
        for name, value in task.kwargs.items():
            if is_own(value):
                task.kwargs = {**task.kwargs, name: taken(value)}

    def cell_ends(self, error: BaseException | None) -> None:
        """
        Release the pickles of values that the notebook's variables no longer have.
        """
        self._last = NO_MAP
        self._has_looked = False
        forget_unbound()
        large.release_unused()

    def _inherited(self, pool: Any) -> int:
        """
        Return the number of the last binding that all workers of a pool inherited.
        """
        context = getattr(pool, "_mp_context", None) or getattr(pool, "_ctx", None)
        if context is None or context.get_start_method() != "fork":
            return 0
        found = pool._processes if hasattr(pool, "_mp_context") else pool._pool
        processes = list(found.values()) if isinstance(found, dict) else list(found)
        workers = tuple(map(id, processes))
        known = self._known.get(pool)
        if known is None or known[0] != workers:
            # If none runs yet, workers are forked before they take this task.
            numbers = [
                getattr(getattr(process, "_popen", None), "_duck_number", 0)
                for process in processes
            ] or [number_all()]
            known = self._known[pool] = workers, min(numbers)
        return known[1]


def reduce(pickler: Any, value: Any) -> Any:
    """
    Reduce a function or class of a cell for a pool.
    """
    kind = type(value)
    if kind is Sent:
        _sent_in(pickler).update(part[0] for part in value.bundle[1])
        return NotImplemented
    if not is_own(value) or (is_of_module(value) and is_cloudpickle(pickler)):
        return NotImplemented
    before = _sent_in(pickler)
    bundle = bundle_of(value, before)
    before.update(part[0] for part in bundle[1])
    return made.load, bundle


def _sent_in(pickler: Any) -> set[str]:
    """
    Return the names that the pickle being made already contains.
    """
    names: set[str] = vars(pickler).setdefault("_duck_sent", set())
    return names


_launch_before = multiprocessing.popen_fork.Popen._launch  # type: ignore[attr-defined]


def _launch(self: Any, process_obj: Any) -> None:
    """
    Note in the parent the number of the last binding that the child inherits.
    """
    note_modules()
    self._duck_number = number_all()
    # A forked `Process` inherits its function, and a `shared` that works only here.
    _inherited.update(
        (name, SharedNames(proxies(value)))
        for name, value in list(main().items())
        if (proxies := getattr(type(value), "_duck_proxies", None)) is not None
    )
    try:
        _launch_before(self, process_obj)
    finally:
        _inherited.clear()


def _after_fork_in_child() -> None:
    if mirror.is_kernel:
        main().update(_inherited)
        mirror.after_fork(numbers())
        after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
