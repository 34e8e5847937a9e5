"""
The operations of requests on objects: one small function for each.
"""

from __future__ import annotations

import copy
import operator
import sqlite3
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import AccessDenied
from ..protocol.special_methods import BINARY, COMPARISONS, INPLACE
from .harmless.registry import METHOD_TYPES
from .iteration import iterate, iterate_back
from .readonly import guarded, is_view_of, read_attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .table import Entry

__all__ = [
    "advice_for",
    "call_method",
    "get_attribute",
    "is_own_method",
    "set_attribute",
    "take",
]

_BINARY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": operator.and_,
    "or": operator.or_,
    "divmod": divmod,
    "pow": pow,  # it may have a third argument
}
for _name in BINARY:
    _BINARY_FUNCTIONS.setdefault(_name, getattr(operator, _name, divmod))


def _swapped(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda target, other: function(other, target)


#: Python's own functions for special methods; they also try the reflected method.
SPECIAL_CALLS: dict[str, Callable[..., Any]] = {
    **{f"__{name}__": function for name, function in _BINARY_FUNCTIONS.items()},
    **{
        f"__r{name}__": _swapped(function)
        for name, function in _BINARY_FUNCTIONS.items()
    },
    **{f"__i{name}__": getattr(operator, f"i{name}") for name in INPLACE},
    **{f"__{name}__": getattr(operator, name) for name in COMPARISONS},
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
    "__contains__": operator.contains,
    "__delattr__": delattr,
    "__len__": len,
    "__hash__": hash,
    "__bool__": bool,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": operator.index,
    "__bytes__": bytes,
    "__round__": round,
    "__dir__": dir,
    "__iter__": iterate,
    "__reversed__": iterate_back,
    # The slot has this name from Python 3.12 on.
    "__buffer__": lambda target, flags: memoryview(target),
    "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy,
    # If these return a subclass of str, Python uses only its characters.
    "__str__": lambda target: str.__str__(str(target)),
    "__format__": lambda target, spec: str.__str__(format(target, spec)),
}


def get_attribute(entry: Entry, name: str) -> Any:
    """
    Read an attribute.

    Raises:
        AccessDenied: The settings forbid it.
        BaseException: Raised by the object.
    """
    target = entry.target
    if not entry.is_open or name[:2] == "__":
        policy = entry.policy
        if policy.readonly:
            return read_attribute(policy, target, name)
        policy.check(target, name)
    return getattr(target, name)


def set_attribute(entry: Entry, name: str, value: Any) -> None:
    """
    Set an attribute; raises like `get_attribute`.
    """
    if name[:2] == "__":
        raise AccessDenied(
            f"{name!r} of {entry.path} cannot be set through a proxy, and no setting "
            "allows it."
        )
    if not entry.is_open:
        entry.policy.check(entry.target, name, writes=True)
    setattr(entry.target, name, value)


def call_method(entry: Entry, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """
    Call a method, special or not; raises like `get_attribute`.
    """
    target = entry.target
    if not entry.is_open or name[:2] == "__":
        policy = entry.policy
        policy.check(target, name)
        if policy.readonly and not policy.opens(name):
            target, args, kwargs = guarded(policy, target, name, args, kwargs)
    if name[:2] != "__":
        return getattr(target, name)(*args, **kwargs)
    if name == "__next__":
        # A running generator refuses a second caller, so callers take turns.
        with entry.turn:
            return entry.returned.popleft() if entry.returned else next(target)
    if name == "__call__":
        return target(*args, **kwargs)
    function = SPECIAL_CALLS.get(name)
    if function is not None:
        return function(target, *args)
    method = getattr(type(target), name)
    return method(target, *args, **kwargs)


def take(entry: Entry, count: int) -> list[Any]:
    """
    Take the next items of an iterator; fewer if it is used up.

    If it raises after some items, these are returned, and the next call raises the
    error.
    """
    items: list[Any] = []
    with entry.turn:
        try:
            while entry.returned and len(items) < count:
                items.append(entry.returned.popleft())
            items.extend(islice(entry.target, count - len(items)))
        except Exception as error:
            if not items:
                raise
            entry.target = _raising(error)
            entry.raises = True
    return items


def _raising(error: Exception) -> Iterator[Any]:
    raise error
    yield


def is_own_method(value: Any, target: Any, name: str) -> str | None:
    """
    Return how an attribute's value is a method of its object.

    Returns:
        ``"type"`` for a method of every object of the type, ``"object"`` for a method
        of this object alone, None for anything else.
    """
    if type(value) not in METHOD_TYPES:
        return None
    owner = value.__self__
    if owner is target or is_view_of(owner, target):
        instance = getattr(target, "__dict__", None)
        has_own = isinstance(instance, dict) and name in instance
        if has_own or not hasattr(type(target), name) or isinstance(target, type):
            return "object"
        return "type"
    # A class method, read through an object.
    return "object" if owner is type(target) else None


def advice_for(error: BaseException, entry: Entry) -> BaseException:
    """
    Add advice to an error of an object that refuses every thread but its own.
    """
    if isinstance(error, sqlite3.ProgrammingError) and "thread" in str(error):
        return type(error)(
            f"{error} Workers reach {entry.path} through a thread of the server: open "
            "it with sqlite3.connect(..., check_same_thread=False), and use "
            "locked(proxy) around statements that belong together."
        )
    return error
