"""
Which objects depend on the calling thread: owned locks, and thread-local data.

A client thread must always use the same thread for such an object. This also holds for
an object that wraps such an object, and for a method of one that was read as an
attribute. The parts of an object are examined when it is shared or first reached.
"""

from __future__ import annotations

import _multiprocessing
import contextlib
import functools
import threading
import types
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ThreadBound", "find_thread_bound"]

#: The number of parts of an object to examine, and of levels of parts.
MOST_PARTS = 500
MOST_LEVELS = 4
#: Larger containers hold data.
MOST_ITEMS = 50
#: The kind of a multiprocessing lock that its owner may take again.
RECURSIVE = 0
#: Objects of these modules have no parts to examine. A container's own methods use no
#: lock in it.
DATA_MODULES = frozenset({"builtins", "collections", "numpy", "pandas", "polars"})

#: The class inside the locks of multiprocessing.
_SemLock: Any = getattr(_multiprocessing, "SemLock")  # noqa: B009 - not in its stubs
_C_RLOCK = type(threading.RLock())
_PYTHON_RLOCK: Any = getattr(threading, "_RLock")  # noqa: B009 - private in its stubs


class ThreadBound(NamedTuple):
    """
    The parts of an object that depend on the calling thread.
    """

    #: For each lock that its owner may take again: returns whether this thread owns it.
    owned: tuple[Callable[[], bool], ...] = ()
    #: Whether it holds thread-local data.
    keeps_threads: bool = False


NOTHING = ThreadBound()


def find_thread_bound(target: Any) -> ThreadBound:
    """
    Search an object for parts that depend on the calling thread.
    """
    owned: list[Callable[[], bool]] = []
    keeps = False
    seen: set[int] = set()
    level = [target]
    for _ in range(MOST_LEVELS):
        below: list[Any] = []
        for part in level:
            if id(part) in seen:
                continue
            seen.add(id(part))
            if len(seen) > MOST_PARTS:
                return ThreadBound(tuple(owned), keeps)
            # By type: isinstance() calls the object, which may answer anything.
            kind = type(part)
            if issubclass(kind, (_C_RLOCK, _PYTHON_RLOCK)):
                owned.append(getattr(part, "_is_owned"))  # noqa: B009 - as above
            elif issubclass(kind, threading.local):
                keeps = True
            elif issubclass(kind, _SemLock):
                if part.kind == RECURSIVE:
                    owned.append(part._is_mine)
            else:
                below.extend(_parts(part, is_root=part is target))
        level = below
        if not level:
            break
    return ThreadBound(tuple(owned), keeps) if owned or keeps else NOTHING


def _parts(part: Any, *, is_root: bool) -> Iterator[Any]:
    """
    Yield the parts of an object, as far as its methods may use them.
    """
    kind = type(part)
    if kind is types.MethodType or kind is types.BuiltinMethodType:
        yield part.__self__
    elif kind is functools.partial:
        yield from (part.func, *part.args, *part.keywords.values())
    elif kind is types.FunctionType:
        for cell in part.__closure__ or ():
            with contextlib.suppress(ValueError):  # the cell is empty
                yield cell.cell_contents
        for name in part.__code__.co_names:
            yield part.__globals__.get(name)
    elif kind is types.GeneratorType:
        if part.gi_frame is not None:
            yield from part.gi_frame.f_locals.values()
    elif kind in (list, tuple, set, dict):
        if not is_root and len(part) <= MOST_ITEMS:
            yield from part.values() if kind is dict else part
    elif not issubclass(kind, (type, types.ModuleType)):
        if kind.__module__.partition(".")[0] in DATA_MODULES:
            return
        # Attributes are not read, because this may run code of the user.
        yield from _own_values(part)


def _own_values(part: Any) -> Iterator[Any]:
    try:
        values = object.__getattribute__(part, "__dict__")
    except AttributeError:
        values = None
    if type(values) is dict and len(values) <= MOST_PARTS:
        yield from list(values.values())
    for member in _slots(type(part)):
        with contextlib.suppress(AttributeError):  # the slot is empty
            yield member.__get__(part)


def _slots(kind: type) -> list[Any]:
    found = _slots_of.get(kind)
    if found is None:
        found = _slots_of[kind] = [
            member
            for base in kind.__mro__
            for member in vars(base).values()
            if type(member) is types.MemberDescriptorType
        ]
    return found


_slots_of: weakref.WeakKeyDictionary[type, list[Any]] = weakref.WeakKeyDictionary()
