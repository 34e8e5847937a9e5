"""
Whose a name is: the proxy's own or its object's; and what a callable is called.
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

#: The names that are the proxy's own: those of `YIELDING` where the object has no such
#: name, the others always.
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
    Say whether one of the names in `YIELDING` belongs to the object of a proxy.
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
        verb: What it was to be, such as ``"set"``.

    Raises:
        AccessDenied: It is a name of the proxy itself, or one with two underscores.
    """
    if name in OWN_NAMES and name not in YIELDING:
        raise AccessDenied(
            f"{name!r} is a name of the proxy itself and cannot be {verb}. Give the "
            "object a method that does it, and call that."
        )
    if name[:2] == "__":
        raise AccessDenied(
            f"{name!r} cannot be {verb} through a proxy; no setting opens it."
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
