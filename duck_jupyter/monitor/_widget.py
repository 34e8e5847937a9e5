"""
Monitor: the live view as a widget, for every front end that shows ipywidgets.

The module is private: ipywidgets has no types, so those of its classes are incomplete.
"""

from __future__ import annotations

import contextvars
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from msgspec.structs import replace

from ..session.snapshot import Snapshot, as_plain
from .viewers import Leases

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hub import Hub

__all__ = ["Monitor", "state_to_save"]

#: Seconds between two updates of the kept state, at least and for each object. A second
#: view begins with this state, and a saved notebook shows it.
KEPT_EVERY_S = (1.0, 0.005)


class Monitor(anywidget.AnyWidget):
    """
    A live view of the shared objects of a session.

    The stream consists of messages; the trait holds the last state, for later views.

    Args:
        hub: The monitor of the session.
        fallback: Returns the same as text and HTML, by MIME type, if widgets are not
            shown.
    """

    _esm = Path(__file__).parent / "static" / "monitor.js"
    #: The last whole snapshot, as plain values.
    snapshot: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    #: The id with which JupyterLab's extension requests its views.
    comm_id = traitlets.Unicode().tag(sync=True)

    def __init__(self, hub: Hub, fallback: Callable[[], dict[str, str]]) -> None:
        self._hub = hub
        self._fallback = fallback
        self._leases = Leases(lambda: hub.is_busy)
        # The context of the last message. A message is answered in the subshell where
        # it arrived, which is free while a cell runs.
        self._context: contextvars.Context | None = None
        #: Used to detect whether the kept state is still valid.
        self._kept: Any = None
        self._kept_until = 0.0
        key = uuid.uuid4().hex
        first = state_to_save(hub.ticker.look())
        super().__init__(model_id=key, comm_id=key, snapshot=first)
        hub.know(key, self)
        self.on_msg(self._hear)
        # ipykernel 7.4 handles a view's messages where the comm last published. For a
        # widget that was made in a cell, this is the main shell, at the end of the
        # cell.
        comm: Any = self.comm
        if hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = _as_it_was_sent

    @property
    def is_looking(self) -> bool:
        """
        Whether a view is visible, as far as is known.
        """
        return self._leases.is_any

    @property
    def period_s(self) -> float:
        """
        Seconds between two snapshots.
        """
        return self._leases.period_s

    def show(self, snapshot: Snapshot, whole: Snapshot) -> None:
        """
        Send a snapshot to all views.

        Args:
            snapshot: A tick, or a whole snapshot.
            whole: The whole snapshot; it is kept for later views.
        """
        context = self._context
        if context is None:
            self._give(snapshot, whole)
        else:
            context.run(self._give, snapshot, whole)

    def _give(self, snapshot: Snapshot, whole: Snapshot) -> None:
        plain = as_plain(snapshot)
        self.send({"kind": "snapshot", "snapshot": plain})
        # While a cell runs the stream is enough; the state at its end is kept.
        state = (
            snapshot.state,
            snapshot.totals,
            snapshot.object_count,
            snapshot.error_count,
            len(snapshot.workers),
            sum(run.done for run in snapshot.runs),
        )
        now = time.monotonic()
        if snapshot.cell.running or state == self._kept or now < self._kept_until:
            return
        least, each = KEPT_EVERY_S
        self._kept = state
        self._kept_until = now + max(least, each * len(whole.objects))
        self.snapshot = state_to_save(whole)

    def _hear(self, widget: Any, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        self._context = contextvars.copy_context()
        kind = content.get("kind")
        self.look(kind, content.get("view"))
        if kind == "command":
            answer = self._hub.do(content.get("command"))
            self.send({"kind": "answer", "answer": answer})

    def look(self, kind: Any, view: Any) -> None:
        """
        Note that a view is visible or not. Any thread may call it.

        Args:
            kind: ``"ready"`` or ``"visible"``, or ``"hidden"``; other values are
                ignored.
            view: The id of the view.
        """
        if kind in ("ready", "visible"):
            self._leases.renew(str(view))
            self._hub.add(self)
        elif kind == "hidden":
            self._leases.end(str(view))

    def close(self) -> None:
        """
        End the widget in all front ends.
        """
        self._hub.forget(self.comm_id)
        self._hub.discard(self)
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**(data or {}), **self._fallback()}
        return (data, *metadata) if metadata else data


def state_to_save(snapshot: Snapshot) -> dict[str, Any]:
    """
    Return what a saved notebook may hold: links to clusters lead nowhere later.
    """
    return as_plain(replace(snapshot, clusters=[]))


def _as_it_was_sent(data: Any, subshell: str | None) -> str | None:
    return subshell
