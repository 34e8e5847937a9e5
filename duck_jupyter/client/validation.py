"""
The validation of functions that take a proxy.
"""

from __future__ import annotations

from typing import Any

from ..errors import NotShareable
from .registry import expression_for

__all__ = ["is_proxy", "refuse_view", "require_proxy"]


def is_proxy(value: Any) -> bool:
    """
    Return whether a value is a proxy, without asking its object.
    """
    return hasattr(type(value), "_duck_link")


def refuse_view(value: Any, function: str) -> None:
    """
    Refuse a view that `ref` returned, which is not a proxy.

    Args:
        value: The argument.
        function: The name of the called function, for the message.

    Raises:
        NotShareable: It is a view that `ref` returned.
    """
    if hasattr(type(value), "_duck_proxy"):
        raise NotShareable(
            f"{function}() must be given a proxy, not the view {value!r}. Pass the "
            "proxy itself, without ref()."
        )


def require_proxy(value: Any, function: str) -> None:
    """
    Require a proxy.

    Args:
        value: The argument.
        function: The name of the called function, for the message.

    Raises:
        NotShareable: It is not a proxy; the message says what to write.
    """
    if is_proxy(value):
        return
    refuse_view(value, function)
    kind = type(value).__name__
    expression = expression_for(value)
    if expression:
        raise NotShareable(
            f"{function}() must be given a proxy, not the shared {kind} itself. Write "
            f"{function}({expression})."
        )
    raise NotShareable(
        f"{function}() must be given a proxy, such as shared.NAME, not an object of "
        f"type {kind}. Share the object first with %share NAME; in a worker, use the "
        "proxy that was passed to it."
    )
