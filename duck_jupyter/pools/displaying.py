"""
Displaying, in a worker: ``display`` shows its objects under the cell of the task.

A forked worker has the notebook's shell, whose publisher is replaced. Any other worker
has no shell: it gets a ``display`` of ours, and imports IPython when it is called.
"""

from __future__ import annotations

import base64
import builtins
import json
import sys
from typing import TYPE_CHECKING, Any

from ..data.import_hook import ImportWatch
from .records import DISPLAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    Send = Callable[[int, bytes], object]

__all__ = ["add_displaying"]

#: The module in which IPython defines ``display``.
MODULE = "IPython.core.display_functions"


def add_displaying(send: Send) -> None:
    """
    Let this worker display objects.

    Args:
        send: Sends a record of a kind to the notebook.
    """
    shell = _shell()
    displaying = _Displaying(send)
    if shell is not None:
        shell.display_pub.publish = displaying.publish
        shell.display_pub.clear_output = displaying.clear_output
        return
    builtins.display = displaying.display  # type: ignore[attr-defined]
    if MODULE in sys.modules:
        displaying.place(sys.modules[MODULE])
    else:
        ImportWatch([MODULE], displaying.place).start()


def _shell() -> Any:
    module = sys.modules.get("IPython.core.interactiveshell")
    if module is None or not module.InteractiveShell.initialized():
        return None
    return module.InteractiveShell.instance()


class _Displaying:
    """
    Formats objects and sends them.
    """

    def __init__(self, send: Send) -> None:
        self._send_record = send
        self._formatter: Any = None

    def place(self, module: ModuleType) -> None:
        """
        Replace IPython's ``display``.
        """
        for name in (MODULE, "IPython.display"):
            if name in sys.modules:
                sys.modules[name].display = self.display  # type: ignore[attr-defined]
        module.display = self.display  # type: ignore[attr-defined]

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        *_: Any,
        update: bool = False,
        **more: Any,
    ) -> None:
        """
        Send the formats of an object.
        """
        coded = {
            key: base64.b64encode(x).decode("ascii") if isinstance(x, bytes) else x
            for key, x in data.items()
        }
        content = {
            "data": coded,
            "metadata": metadata or {},
            "transient": more.get("transient") or {},
        }
        kind = "update_display_data" if update else "display_data"
        self._send(kind, content)

    def clear_output(self, wait: bool = False) -> None:
        """
        Clear the output of the cell.
        """
        self._send("clear_output", {"wait": wait})

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        message = json.dumps([kind, content], default=str)
        self._send_record(DISPLAY, message.encode("utf-8"))

    def display(
        self,
        *objects: Any,
        include: Any = None,
        exclude: Any = None,
        metadata: Any = None,
        transient: Any = None,
        display_id: Any = None,
        raw: bool = False,
        clear: bool = False,
        **more: Any,
    ) -> Any:
        """
        Display objects; the arguments are those of IPython's ``display``.
        """
        from IPython.core.display_functions import DisplayHandle

        handle = None
        if display_id is not None:
            handle = DisplayHandle(None if display_id is True else display_id)
            transient = {**(transient or {}), "display_id": handle.display_id}
        if clear:
            self.clear_output(wait=True)
        for shown in objects:
            data, described = shown, {}
            if not raw:
                data, described = self._format(shown, include, exclude)
            if data:
                described = {**described, **(metadata or {})}
                self.publish(data, described, transient=transient, **more)
        return handle

    def _format(self, shown: Any, include: Any, exclude: Any) -> Any:
        if self._formatter is None:
            from IPython.core.formatters import DisplayFormatter

            self._formatter = DisplayFormatter()
        return self._formatter.format(shown, include=include, exclude=exclude)
