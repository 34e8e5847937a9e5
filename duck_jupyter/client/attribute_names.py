"""
Which names belong to the proxy and which to its object; the names of callables.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from ..errors import AccessDenied, KernelGone, ProxyClosed, ProxyObjectNotFound
from ..protocol.special_methods import names_in
from ..protocol.traits import ANY_NAMES, YIELDING

__all__ = [
    "OWN_NAMES",
    "get_callable_name",
    "is_method_of",
    "is_of_object",
    "refuse_own",
]

#: The proxy's own names. Those of `YIELDING` are the proxy's own only if the object has
#: no such name.
OWN_NAMES = frozenset(
    {
        *YIELDING,
        "_DATA_SIZE_PREFIX_LEN",
        "_callable_prefix",
        "_proxy_prefix",
        "_cls_attrs",
        "_ipython_canary_method_should_not_exist_",
        "_duck_block_name",
        "_duck_idx",
        "_duck_link",
        "_duck_methods",
        "_duck_ref",
        "_duck_token",
    }
)


def is_of_object(proxy: Any, name: str) -> bool:
    """
    Return whether one of the names in `YIELDING` belongs to the object of a proxy.
    """
    told = names_in(proxy._duck_ref.specials)
    if name in told or ANY_NAMES not in told:
        return name in told
    try:
        return bool(proxy._duck_link.desk("has", proxy._duck_idx, name))
    except (KernelGone, ProxyClosed, ProxyObjectNotFound):
        return False  # there is no object to ask; the proxy can still be closed


def refuse_own(name: str, verb: str) -> None:
    """
    Refuse a name that cannot be set or deleted through a proxy.

    Args:
        name: The name.
        verb: The refused operation, such as ``"set"``.

    Raises:
        AccessDenied: It is a name of the proxy itself, or one with two underscores.
    """
    if name in OWN_NAMES and name not in YIELDING:
        raise AccessDenied(
            f"{name!r} is a name of the proxy itself and cannot be {verb} through it. "
            "Add a method to the object that does it, and call that method."
        )
    if name[:2] == "__":
        raise AccessDenied(
            f"{name!r} cannot be {verb} through a proxy, and no setting allows it."
        )


def get_callable_name(fn: Any) -> str:
    """
    Return a readable name for a callable.

    Args:
        fn: A function, method, `functools.partial`, class or callable object.

    Returns:
        The function's own name, the name of the function of a partial, the name of a
        class, or ``"Type.__call__"`` for a callable object.
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
    Return whether a callable is a method of an object.

    Args:
        callable_obj: A bound method, a function of the object's class, or a partial of
            one.
        obj: The object.

    Returns:
        True for a method bound to this object, and for the plain function of one of its
        methods.
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
