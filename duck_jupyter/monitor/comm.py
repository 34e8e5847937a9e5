"""
The monitor over the kernel's own sockets, for JupyterLab's panel and the terminal.

Snapshots are broadcast on iopub as messages of a comm that was never opened. A frontend
that does not know the comm ignores them. A page that was reloaded while a cell runs
receives them too. Requests come on the control channel, which has a thread of its own,
so they are answered while a cell runs, whatever the version of the kernel.
"""

from __future__ import annotations

import contextlib
import math
import uuid
from typing import TYPE_CHECKING, Any

from ..session.clusters import NEWS_S
from ..session.snapshot import as_plain
from .viewers import PERIOD_S, Leases, Listeners

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hub import Hub

__all__ = ["LIVE_PREFIX", "LIVE_TARGET", "Sockets"]

#: The target name of the broadcast's messages.
LIVE_TARGET = "duck_jupyter.live"
#: The prefix of the comm's ids.
LIVE_PREFIX = "duck-"
#: Types of requests; the answer's type ends with ``_reply``.
REQUESTS = ("duck_watch", "duck_unwatch", "duck_snapshot", "duck_look", "duck_command")


class Sockets:
    """
    Serves a kernel's front ends that are not widgets.

    Args:
        kernel: An ipykernel.
        hub: The monitor.
    """

    def __init__(self, kernel: Any, hub: Hub) -> None:
        self._kernel = kernel
        self._hub = hub
        self._live: Any = None
        self._viewers = Listeners(self._broadcast, Leases(lambda: hub.is_busy))
        self._answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "duck_watch": self._watch,
            "duck_unwatch": self._unwatch,
            "duck_snapshot": self._snapshot,
            "duck_look": hub.look,
            "duck_command": hub.do,
        }

    def open(self) -> None:
        """
        Start to answer requests.
        """
        from comm import create_comm, get_comm_manager

        # No front end opens the comm; it would report that the comm has no target. The
        # list of comms, which front ends request from every kernel, shows that the
        # monitor exists.
        self._live = create_comm(
            target_name=LIVE_TARGET,
            comm_id=f"{LIVE_PREFIX}{uuid.uuid4().hex}",
            primary=False,
        )
        get_comm_manager().register_comm(self._live)
        for name in REQUESTS:
            self._kernel.control_handlers[f"{name}_request"] = self._handler(name)
        self._broadcast({"kind": "loaded"})

    def close(self) -> None:
        """
        Stop answering requests.
        """
        for name in REQUESTS:
            self._kernel.control_handlers.pop(f"{name}_request", None)
        self._hub.discard(self._viewers)
        self._broadcast({"kind": "unloaded"})
        from comm import get_comm_manager

        get_comm_manager().unregister_comm(self._live)

    def _broadcast(self, data: dict[str, Any]) -> None:
        from zmq import ZMQError  # a shell without a kernel may not have it

        # A kernel that shuts down has closed its sockets.
        with contextlib.suppress(OSError, ZMQError):
            self._live.send({"duck": LIVE_TARGET, **data})

    def _handler(self, name: str) -> Callable[[Any, Any, Any], None]:
        def handle(stream: Any, ident: Any, parent: Any) -> None:
            content = parent.get("content") or {}
            try:
                answer = {"status": "ok", **self._answers[name](content)}
            except Exception as error:
                # The sender gets the error; the control thread continues.
                answer = {
                    "status": "error",
                    "message": f"{type(error).__name__}: {error}",
                }
            self._kernel.session.send(
                stream, f"{name}_reply", answer, parent=parent, ident=ident
            )

        return handle

    def _watch(self, content: dict[str, Any]) -> dict[str, Any]:
        who, every = str(content.get("viewer", "")), content.get("every")
        self._viewers.leases.renew(who, every or PERIOD_S)
        self._hub.add(self._viewers)
        if content.get("quiet"):
            return {}
        return self._snapshot(content)

    def _unwatch(self, content: dict[str, Any]) -> dict[str, Any]:
        who, after = str(content.get("viewer", "")), content.get("after")
        self._viewers.leases.end(who, after_s=after or 0.0)
        return {}

    def _snapshot(self, content: dict[str, Any]) -> dict[str, Any]:
        return {"snapshot": as_plain(self._hub.ticker.look(math.inf, NEWS_S))}
