"""
The check of functions that take a proxy.
"""

from __future__ import annotations

from typing import Any

from ..errors import NotShareable
from .registry import expression_for

__all__ = ["is_proxy", "refuse_view", "require_proxy"]


def is_proxy(value: Any) -> bool:
    """
    Tell whether a value is a proxy, without asking its object.
    """
    return hasattr(type(value), "_duck_link")


def refuse_view(value: Any, function: str) -> None:
    """
    Refuse what `ref` gives, which is no proxy.

    Args:
        value: What was given.
        function: The name of the function that it was given to, for the message.

    Raises:
        NotShareable: It is what `ref` gives.
    """
    if hasattr(type(value), "_duck_proxy"):
        raise NotShareable(
            f"{function}() takes a proxy, and {value!r} is only a view of one: give "
            "it the proxy itself, without ref()."
        )


def require_proxy(value: Any, function: str) -> None:
    """
    Refuse what is no proxy.

    Args:
        value: What was given.
        function: The name of the function that it was given to, for the message.

    Raises:
        NotShareable: It is no proxy; the message says what to write.
    """
    if is_proxy(value):
        return
    refuse_view(value, function)
    kind = type(value).__name__
    expression = expression_for(value)
    if expression:
        raise NotShareable(
            f"{function}() takes a proxy, and this is the shared {kind} itself. Write "
            f"{function}({expression})."
        )
    raise NotShareable(
        f"{function}() takes a proxy, such as shared.NAME, and this is the {kind} "
        "itself. Share the object first with %share NAME; a worker uses the proxy that "
        "it was given."
    )
