"""
The commands that a viewer may send, each with an id that it chooses.

A command that arrives twice is executed once: a front end that does not know whether a
command arrived sends it again.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from ..errors import NotShared, ProxyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.session import Session

__all__ = ["Commands"]

#: The number of command ids to remember.
MOST_DONE = 64


class Commands:
    """
    The commands of one session. Any thread may call it.

    Args:
        session: The session.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._answers: dict[str, dict[str, Any]] = {}
        self._order: deque[str] = deque()
        self._known: dict[str, Callable[[Any], None]] = {
            "unshare": self._unshare,
            "unshare_all": self._unshare_all,
            "reset_peaks": self._reset_peaks,
        }

    def do(self, command: Any) -> dict[str, Any]:
        """
        Execute a command of a front end.

        Args:
            command: ``{"id": ..., "name": ..., "args": {...}}``.

        Returns:
            ``{"id": ..., "status": "ok"}``, or ``"error"`` with a ``"message"``.
        """
        try:
            key, name, args = command["id"], command["name"], command.get("args") or {}
            work = self._known[name]
            if not isinstance(key, str) or not isinstance(args, dict):
                raise TypeError
        except (TypeError, KeyError):
            return {
                "id": None,
                "status": "error",
                "message": f"{command!r} is not a command of the monitor.",
            }
        # One at a time: the same command may arrive twice at once.
        with self._lock:
            if key not in self._answers:
                self._keep(key, self._answer(key, work, args))
            return self._answers[key]

    def _answer(
        self, key: str, work: Callable[[Any], None], args: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            work(args)
        except NotShared:
            pass  # it is already unshared
        except ProxyError as error:
            return {"id": key, "status": "error", "message": str(error)}
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            return {"id": key, "status": "error", "message": message}
        return {"id": key, "status": "ok"}

    def _keep(self, key: str, answer: dict[str, Any]) -> None:
        self._answers[key] = answer
        self._order.append(key)
        if len(self._order) > MOST_DONE:
            del self._answers[self._order.popleft()]

    def done(self) -> list[str]:
        """
        List the ids of recently executed commands.
        """
        return list(self._order)

    def _unshare(self, args: dict[str, Any]) -> None:
        self._session.unshare([str(args["object"])])

    def _unshare_all(self, args: dict[str, Any]) -> None:
        for shared in self._session.names:
            # Other code may unshare one of them first.
            with contextlib.suppress(NotShared):
                self._session.unshare([shared.name])

    def _reset_peaks(self, args: dict[str, Any]) -> None:
        server = self._session.server
        if server is not None:
            # A row may stand for many objects with one path.
            idx = args.get("idx")
            for each in idx if isinstance(idx, list) else [idx]:
                server.reset_peaks(each)
