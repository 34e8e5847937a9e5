"""
Using an object that is shared read-only: through a view that cannot write.
"""

from __future__ import annotations

import inspect
import weakref
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .harmless.missing import Present
from .harmless.registry import is_bound_method, is_harmless
from .harmless.views import view_maker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .policy import Policy

__all__ = ["guarded", "is_view_of", "read_attribute"]

#: Arguments with which a method changes its object instead of returning a copy.
IN_PLACE = ("inplace", "in_place")

_makers: weakref.WeakKeyDictionary[type, Callable[[Any], Any] | None] = (
    weakref.WeakKeyDictionary()
)


def read_attribute(policy: Policy, target: Any, name: str) -> Any:
    """
    Read an attribute of a read-only object.

    Raises:
        AccessDenied: It is a method that may change its object.
        BaseException: Raised by the object.
    """
    if name[:2] == "__":
        policy.check(target, name)
    if policy.opens(name):
        return getattr(target, name)
    value = getattr(_view(policy, target, name, needed=not policy.allow), name)
    if is_bound_method(value) and not is_harmless(value, "__call__"):
        raise policy.unknown(target, name)
    return value


def guarded(
    policy: Policy,
    target: Any,
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> tuple[Any, list[Any], dict[str, Any]]:
    """
    Return what to call instead, so that nothing can be changed.

    Args:
        policy: The settings of the object.
        target: The object.
        name: A method that is known to change nothing.
        args: Its positional arguments.
        kwargs: Its keyword arguments.

    Returns:
        A view of the object, and the arguments with the view in its place.

    Raises:
        AccessDenied: The arguments let the method change its object.
    """
    if name == "__call__":
        owner, method = target.__self__, target.__name__
    else:
        owner, method = target, name
    if any(kwargs.get(word) for word in IN_PLACE) or _is_in_place(
        type(owner), method, args
    ):
        raise policy.refusal(
            method, (f"the arguments of {method!r} would change it in place")
        )
    # If other names are allowed, they must work on objects reached from here. But a
    # function among the arguments, and `out=`, must not get the object itself.
    needed = not policy.allow or any(
        callable(arg) or arg is target for arg in (*args, *kwargs.values())
    )
    view = _view(policy, target, name, needed=needed)
    return (
        view,
        [view if arg is target else arg for arg in args],
        {key: view if arg is target else arg for key, arg in kwargs.items()},
    )


def is_view_of(value: Any, target: Any) -> bool:
    """
    Return whether a value may be a view made by `guarded` or `read_attribute`.
    """
    kind = type(target)
    return type(value) is kind and _maker(kind) is not None


def _view(policy: Policy, target: Any, name: str, *, needed: bool) -> Any:
    if name == "__getitem__" and Present.is_needed(target):
        return Present(
            target,
            lambda: policy.refusal(name, "reading a missing key would insert it"),
        )
    maker = _maker(type(target)) if needed else None
    return target if maker is None else maker(target)


def _maker(kind: type) -> Callable[[Any], Any] | None:
    try:
        return _makers[kind]
    except KeyError:
        maker = _makers[kind] = view_maker(kind)
        return maker


def _is_in_place(kind: type, name: str, args: Sequence[Any]) -> bool:
    place = _place_of_flag(kind, name)
    return place is not None and len(args) > place and bool(args[place])


@lru_cache(maxsize=1024)
def _place_of_flag(kind: type, name: str) -> int | None:
    """
    Return the position of the argument that lets a method change its object, or None.
    """
    try:
        parameters = list(inspect.signature(getattr(kind, name)).parameters.values())
    except (AttributeError, NameError, TypeError, ValueError):
        return None  # many builtin methods have no signature
    for place, parameter in enumerate(parameters[1:]):
        if parameter.name in IN_PLACE:
            return place if parameter.kind is parameter.POSITIONAL_OR_KEYWORD else None
    return None
