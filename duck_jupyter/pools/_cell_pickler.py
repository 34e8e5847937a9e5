"""
Pickles one value of a cell, and collects the other names that it needs.

The module is private: cloudpickle has no types, so those of its classes are incomplete.
"""

from __future__ import annotations

import functools
import io
import linecache
import marshal
import pickle
import re
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cloudpickle
from cloudpickle import cloudpickle as cloud

from . import mirror as made
from .large import hold_of
from .members import dispatched_of
from .mirror import main
from .names import CACHED, is_own, path_of
from .shared_names import SharedNames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..data.holds import Hold, InplaceHold

__all__ = [
    "CellPickler",
    "Pickled",
    "class_of",
    "globals_of",
    "pickled",
    "track",
]

#: Built-ins that take names as text.
BY_TEXT = frozenset({"globals", "eval", "exec"})
WORD = re.compile(r"[^\W\d]\w*")

#: The longest text of a cell that is sent with its functions, in characters.
MOST_SOURCE = 50_000


class CellPickler(cloudpickle.Pickler):  # type: ignore[misc]
    """
    Pickles one value of ``__main__``, and notes which other names it needs.

    Args:
        file: Gets the pickle.
        root: The name of the value if it is a function or class, or None.
    """

    def __init__(self, file: io.BytesIO, root: str | None = None) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        #: Names in the order in which they were met.
        self.needs: dict[str, None] = {}
        #: The last value that was pickled.
        self.last: Any = None
        #: The objects that are sent as handles, in the order of `mirror.held`.
        self.holds: list[Hold | InplaceHold] = []
        self._root = root

    def reducer_override(self, obj: Any) -> Any:
        """
        Reduce what pickle cannot reduce, and the notebook's own objects to their names.
        """
        self.last = obj
        if isinstance(obj, functools.cached_property):
            name = getattr(obj, "attrname", None)
            return made.make_cached_property, (obj.func, name)
        if not isinstance(obj, (types.FunctionType, type, CACHED)):
            return self._reduce_other(obj)
        path = path_of(obj)
        if path is not None:
            top = path.partition(".")[0]
            if top != self._root:
                self.needs.setdefault(top)
                return made.value, (path,)
        if not is_own(obj):
            return super().reducer_override(obj)
        if isinstance(obj, CACHED):
            return made.make_cached, (obj.cache_parameters(), obj.__wrapped__)
        reduced = (
            self._reduce_function(obj)
            if isinstance(obj, types.FunctionType)
            else self._reduce_class(obj)
        )
        if not isinstance(reduced, tuple) or len(reduced) < 3:
            return reduced
        if path is not None and path == self._root:
            maker, args, *rest = reduced
            return made.make_named, (path, maker, args), *rest
        return reduced

    def _reduce_other(self, obj: Any) -> Any:
        if type(obj) is types.CodeType:
            # cloudpickle would forget the cell's name.
            return marshal.loads, (marshal.dumps(obj),)
        proxies = getattr(type(obj), "_duck_proxies", None)
        if proxies is not None:
            return SharedNames, (proxies(obj),)
        hold = hold_of(obj)
        if hold is not None:
            return made.held, (self._number(hold),)
        return super().reducer_override(obj)

    def _number(self, hold: Hold | InplaceHold) -> int:
        self.holds.append(hold)
        return len(self.holds) - 1

    def _reduce_function(self, function: Any) -> Any:
        dispatched = dispatched_of(function)
        if dispatched is not None:
            return made.make_dispatched, dispatched
        code, namespace = function.__code__, function.__globals__
        module = _module_of(namespace)
        if module is None:
            # The namespace of a script that a cell has run.
            return super().reducer_override(function)
        attributes, slots = cloud._function_getstate(function)
        if module == "__main__":
            # Including names that are bound later, or that hide a built-in later.
            self.needs.update(dict.fromkeys(globals_of(code)))
        for name in ("__globals__", "__closure__"):
            del slots[name]
        # Import the modules: a package does not have them as attributes before.
        submodules = slots.pop("_cloudpickle_submodules")
        closure = [_content_of(cell) for cell in function.__closure__ or ()]
        source = _source_of(code.co_filename) if module == "__main__" else None
        return (
            made.make_function,
            (marshal.dumps(code), module, len(closure), source),
            (slots, attributes, closure, submodules),
            None,
            None,
            made.set_function,
        )

    def _reduce_class(self, kind: type) -> Any:
        reduced = super().reducer_override(kind)
        if not isinstance(reduced, tuple) or len(reduced) < 3:
            return reduced
        maker, args, *rest = reduced
        if len(args) > 3 and isinstance(args[3], dict):
            # cloudpickle makes it without: instances then have another state, and an
            # inner class another name.
            more = {"__qualname__": kind.__qualname__}
            if vars(kind).get("__slots__"):
                more["__slots__"] = vars(kind)["__slots__"]
            args = (*args[:3], {**args[3], **more}, *args[4:])
        return maker, args, *rest


def track(value: Any) -> str:
    """
    Return what identifies a class in all processes that have it; "" if nothing does.
    """
    known: dict[Any, str] = cloud._DYNAMIC_CLASS_TRACKER_BY_CLASS
    return known.get(value, "") if isinstance(value, type) else ""


def class_of(tracked: str) -> Any:
    """
    Return the class of this process that `track` identifies, or None.
    """
    return cloud._DYNAMIC_CLASS_TRACKER_BY_ID.get(tracked)


def globals_of(code: types.CodeType) -> list[str]:
    """
    List the names of globals that code mentions, that of its inner functions included.

    Where it calls ``globals()``, ``eval`` or ``exec``, what its texts mention counts.
    """
    names: dict[str, Any] = dict.fromkeys(cloud._extract_code_globals(code))
    if not BY_TEXT.isdisjoint(names):
        for text in _texts_of(code):
            names.update(dict.fromkeys(WORD.findall(text)))
    return list(names)


def _texts_of(code: types.CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, types.CodeType):
            yield from _texts_of(constant)
        elif isinstance(constant, tuple):
            yield from (text for text in constant if isinstance(text, str))


@functools.lru_cache(maxsize=64)
def _source_of(file: str) -> tuple[str, str] | None:
    """
    Return the file name and the text of a cell; None if it is too long or no cell.

    The result is the same tuple each time, so a pickle contains it once.
    """
    if Path(file).exists():  # a worker reads it itself
        return None
    text = "".join(linecache.getlines(file))
    return (file, text) if 0 < len(text) <= MOST_SOURCE else None


def _module_of(namespace: dict[str, Any]) -> str | None:
    """
    Name the module whose globals these are.
    """
    if namespace is main():
        return "__main__"
    name = namespace.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    spec = getattr(module, "__spec__", None)
    return name if spec is not None and vars(module) is namespace else None


def _content_of(cell: Any) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # nothing was bound to it yet
        return ()


class Pickled(NamedTuple):
    """
    A value as bytes.
    """

    data: bytes
    #: The names that it needs.
    needs: tuple[str, ...]
    #: The objects of its handles.
    holds: tuple[Hold | InplaceHold, ...]


def pickled(value: Any, root: str | None = None) -> Pickled:
    """
    Return a value as bytes.

    Args:
        value: The value.
        root: The name to bind it to if it is a function or class, or None.
    """
    out = io.BytesIO()
    pickler = CellPickler(out, root)
    hold = hold_of(value)
    try:
        if hold is not None:
            # Picklers do not ask about dictionaries and lists, which may be shared too.
            return Pickled(_held_pickle(), (), (hold,))
        pickler.dump(value)
    except Exception as error:
        # `unsendable` searches from here for the path to the object.
        error._duck_last = pickler.last  # type: ignore[attr-defined]
        raise
    return Pickled(out.getvalue(), tuple(pickler.needs), tuple(pickler.holds))


@functools.cache
def _held_pickle() -> bytes:
    return pickle.dumps(_First(), pickle.HIGHEST_PROTOCOL)


class _First:
    """
    Pickled, it is the object of the first handle.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return made.held, (0,)
