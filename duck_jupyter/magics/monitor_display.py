"""
Whether a front end shows widgets, and the monitor for those that do.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..session.overview import overview_of
from .share_table import Table

if TYPE_CHECKING:
    from ..monitor.hub import Hub

__all__ = ["is_in_cell", "monitor_of", "shows_widgets"]


def shows_widgets(shell: Any) -> bool:
    """
    Return whether a shell belongs to an interactive front end with widgets.

    If a program such as nbconvert runs a notebook, each request says that the user
    cannot be asked for input.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None or find_spec("anywidget") is None:
        return False
    content = _request_of(kernel).get("content") or {}
    return bool(content.get("allow_stdin", True))


def is_in_cell(kernel: Any) -> bool:
    """
    Return whether a kernel is running a cell, and is not just starting.
    """
    header = _request_of(kernel).get("header") or {}
    return bool(header.get("msg_type") == "execute_request")


def _request_of(kernel: Any) -> dict[str, Any]:
    try:
        return kernel.get_parent("shell") or {}
    except (AttributeError, TypeError, LookupError):
        return {}


def monitor_of(hub: Hub) -> Any:
    """
    Make the live view. It loads the widget library; if that fails, make the table.
    """
    try:
        from ..monitor._widget import Monitor
    except ImportError:
        return Table(overview_of(hub.session))

    def as_table() -> dict[str, str]:
        return Table(overview_of(hub.session))._repr_mimebundle_()

    return Monitor(hub, as_table)
