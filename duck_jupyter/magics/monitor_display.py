"""
Whether a front end shows widgets, and the monitor for one that does.
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
    Tell whether a shell belongs to a front end that people look at, with widgets.

    A notebook that is run by a program, such as nbconvert, cannot ask its user for
    input, and says so with each cell.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None or find_spec("anywidget") is None:
        return False
    content = _request_of(kernel).get("content") or {}
    return bool(content.get("allow_stdin", True))


def is_in_cell(kernel: Any) -> bool:
    """
    Tell whether a kernel runs a cell, and does not just begin.
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
    Make the live view; this loads the widget library. Where that fails, the table.
    """
    try:
        from ..monitor._widget import Monitor
    except ImportError:
        return Table(overview_of(hub.session))

    def as_table() -> dict[str, str]:
        return Table(overview_of(hub.session))._repr_mimebundle_()

    return Monitor(hub, as_table)
