"""
Whether a front end shows widgets, and the monitor for one that does.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..session.overview import overview_of
from .table import Table

if TYPE_CHECKING:
    from ..monitor.hub import Hub

__all__ = ["monitor_of", "shows_widgets"]


def shows_widgets(shell: Any) -> bool:
    """
    Tell whether a shell belongs to a front end that people look at, with widgets.

    A notebook that is run by a program, such as nbconvert, cannot ask its user for
    input, and says so with each cell.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None or find_spec("anywidget") is None:
        return False
    try:
        request = kernel.get_parent("shell")
    except (AttributeError, TypeError):
        return True
    content = (request or {}).get("content") or {}
    return bool(content.get("allow_stdin", True))


def monitor_of(hub: Hub) -> Any:
    """
    Make the live view; this loads the widget library.
    """
    from ..monitor.widget import Monitor

    def as_table() -> dict[str, str]:
        return Table(overview_of(hub.session))._repr_mimebundle_()

    return Monitor(hub, as_table)
