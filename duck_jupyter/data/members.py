"""
The members of an object, and their steps: ``.name``, ``['key']``, ``[3]``.

Only memory is read: no property, no ``__getattr__`` and no item method of the user
runs.
"""

from __future__ import annotations

import collections
import functools
import sys
from types import CellType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["list_members", "list_state"]

#: Types without members at which pickling could stop.
ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray})
#: Types whose ``__repr__`` runs no code of the user.
SHORT_KEYS = frozenset({type(None), bool, int, float, str, bytes})
#: Modules of types whose ``__reduce_ex__`` may copy much data, and holds only numbers
#: and text.
LIBRARIES = frozenset({"numpy", "polars", "pyarrow"})
MOST_KEY_CHARACTERS = 40


def list_members(value: Any) -> Iterator[tuple[str, Any]]:
    """
    Yield the members of an object, each with its step, except plain numbers and text.
    """
    kind = type(value)
    if kind in ATOMS or isinstance(value, (type, ModuleType)):
        return iter(())
    return _without_atoms(_list_all(value))


def list_state(value: Any) -> Iterator[tuple[str, Any]]:
    """
    Yield the members of an object, and those in the result of its ``__reduce_ex__``.
    """
    yield from list_members(value)
    kind = type(value)
    library = str(kind.__module__).partition(".")[0]
    if kind in ATOMS or library in LIBRARIES or isinstance(value, (type, ModuleType)):
        return
    try:
        reduced = value.__reduce_ex__(5)
    except Exception:  # any code of the user; its error may be the one to explain
        return
    if isinstance(reduced, tuple):
        yield from _without_atoms(_list_reduced(reduced))


def _without_atoms(members: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    return (member for member in members if type(member[1]) not in ATOMS)


def _list_all(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from _list_items(value)
    elif isinstance(value, (list, tuple, collections.deque)):
        yield from _list_sequence(value)
    elif isinstance(value, (set, frozenset)):
        yield from ((" (an item)", item) for item in _iterate(value))
    elif isinstance(value, FunctionType):
        yield from _list_variables(value)
    elif isinstance(value, MethodType):
        yield ".__self__", value.__self__
        yield ".__func__", value.__func__
    elif isinstance(value, functools.partial):
        yield ".func", value.func
        yield ".args", value.args
        yield ".keywords", value.keywords
    else:
        yield from _list_data(value)
    yield from _list_attributes(value)


def _iterate(value: Any) -> Iterator[Any]:
    """
    Iterate over a container with the iterator of its builtin class.
    """
    kinds: tuple[Any, ...] = (list, tuple, set, frozenset, collections.deque)
    iterators = (kind.__iter__(value) for kind in kinds if isinstance(value, kind))
    return next(iterators)


def _list_items(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in list(dict.items(value)):
        yield f"[{_spell_key(key)}]", item
        yield f" (the key {_spell_key(key)})", key


def _spell_key(key: Any) -> str:
    parts = key if type(key) is tuple else (key,)
    if not all(type(part) in SHORT_KEYS for part in parts):
        return f"<{type(key).__qualname__}>"
    text = repr(key)
    if len(text) <= MOST_KEY_CHARACTERS:
        return text
    return f"{text[:MOST_KEY_CHARACTERS]}..."


def _list_sequence(value: Any) -> Iterator[tuple[str, Any]]:
    fields = getattr(type(value), "_fields", ()) if isinstance(value, tuple) else ()
    for number, item in enumerate(_iterate(value)):
        if number < len(fields):
            yield f".{fields[number]}", item
        else:
            yield f"[{number}]", item


def _list_variables(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """
    Yield the objects that are pickled with a function that is sent by value.
    """
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        yield f" (its variable {name})", _get_or_none(cell, CellType.cell_contents)
    for name in code.co_names:
        if name in function.__globals__:
            yield f" (its variable {name})", function.__globals__[name]
    yield ".__defaults__", function.__defaults__
    yield ".__kwdefaults__", function.__kwdefaults__


def _list_attributes(value: Any) -> Iterator[tuple[str, Any]]:
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        attributes = {}
    if isinstance(attributes, dict):
        for name, item in list(attributes.items()):
            yield f".{name}", item
    for kind in type(value).__mro__:
        for name, slot in list(vars(kind).items()):
            if isinstance(slot, MemberDescriptorType):
                yield f".{name}", _get_or_none(value, slot)


def _get_or_none(value: Any, slot: Any) -> Any:
    try:
        return slot.__get__(value)
    except (AttributeError, ValueError):  # never set
        return None


def _list_data(value: Any) -> Iterator[tuple[str, Any]]:
    """
    Return the objects in arrays and frames, which Python's own members do not show.
    """
    library = str(type(value).__module__).partition(".")[0]
    module: Any = sys.modules.get(library)
    if library == "numpy" and isinstance(value, module.ndarray):
        if value.dtype.kind == "O":
            for index in module.ndindex(value.shape):
                yield f"[{', '.join(map(str, index))}]", value[index]
    elif library == "pandas" and isinstance(value, module.DataFrame):
        yield ".attrs", value.attrs
        for number, (label, dtype) in enumerate(value.dtypes.items()):
            if dtype.kind == "O":
                yield f"[{_spell_key(label)}]", value.iloc[:, number]
    elif library == "pandas" and isinstance(value, (module.Series, module.Index)):
        place = ".iloc" if isinstance(value, module.Series) else ""
        items = value.to_numpy() if value.dtype.kind == "O" else ()
        for number, item in enumerate(items):
            yield f"{place}[{number}]", item


def _list_reduced(reduced: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """
    Yield the members of a reduced form: its state by name, the rest by role.
    """
    # The form that `object.__reduce_ex__` documents; missing parts are None.
    parts: list[Any] = [*reduced, None, None, None][1:5]
    arguments, state, items, pairs = parts
    for part in state if isinstance(state, tuple) else (state,):
        if isinstance(part, dict):
            for name, item in list(part.items()):
                yield f".{name}", item
        else:
            yield " (its state)", part
    yield " (an argument of its constructor)", arguments
    if items is not None:
        yield from ((f"[{number}]", item) for number, item in enumerate(items))
    if pairs is not None:
        for key, item in pairs:
            yield f"[{_spell_key(key)}]", item
            yield f" (the key {_spell_key(key)})", key
