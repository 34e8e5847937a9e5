"""
Whose a name is: the proxy's own or its object's; and what a callable is called.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

__all__ = ["OWN_NAMES", "get_callable_name", "is_method_of"]

#: The names that are the proxy's own and hide those of its object; the object's own
#: are reached through `ref`.
OWN_NAMES = frozenset(
    {
        "close",
        "get_shared_memory",
        "get_response",
        "read_frame",
        "write_frame",
        "_DATA_SIZE_PREFIX_LEN",
        "_callable_prefix",
        "_proxy_prefix",
        "_cls_attrs",
        "_ipython_canary_method_should_not_exist_",
        "_duck_block_name",
        "_duck_held",
        "_duck_idx",
        "_duck_link",
        "_duck_methods",
        "_duck_ref",
        "_duck_token",
    }
)


def get_callable_name(fn: Any) -> str:
    """
    Give a readable name for a callable.

    Args:
        fn: A function, method, `functools.partial`, class or callable object.

    Returns:
        The function's own name, that of what a partial calls, the name of a class,
        or ``"Type.__call__"`` for a callable object.
    """
    if isinstance(fn, functools.partial):
        return get_callable_name(fn.func)
    name = getattr(fn, "__name__", None)
    if isinstance(name, str):
        return name
    kind = type(fn).__name__
    return f"{kind}.__call__" if callable(fn) else kind


def is_method_of(callable_obj: Any, obj: Any) -> bool:
    """
    Say whether a callable is a method of an object.

    Args:
        callable_obj: A bound method, a function of the object's class, or a partial of
            one.
        obj: The object.

    Returns:
        True for a method bound to this very object, and for the plain function that
        one of its methods is made of.
    """
    if isinstance(callable_obj, functools.partial):
        return is_method_of(callable_obj.func, obj)
    owner = getattr(callable_obj, "__self__", None)
    if owner is not None and not inspect.ismodule(owner):
        return owner is obj
    name = getattr(callable_obj, "__name__", None)
    if not callable(callable_obj) or not isinstance(name, str):
        return False
    attribute = inspect.getattr_static(type(obj), name, None)
    if isinstance(attribute, (staticmethod, classmethod)):
        attribute = attribute.__func__
    return attribute is callable_obj
