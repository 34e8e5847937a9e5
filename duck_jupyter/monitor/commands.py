"""
What a viewer may ask to be done, each by an id of its choosing.

A command that comes twice is done once: where a front end does not know whether it
arrived, it sends it again.
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

#: So many ids of commands are remembered.
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
        Do what a front end asks for.

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
                "message": f"{command!r} is no command of the monitor.",
            }
        # One at a time: the same one may come twice at once.
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
            pass  # what was to be gone is gone
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
        List the ids of the commands that were done lately.
        """
        return list(self._order)

    def _unshare(self, args: dict[str, Any]) -> None:
        self._session.unshare([str(args["object"])])

    def _unshare_all(self, args: dict[str, Any]) -> None:
        for shared in self._session.names:
            # Somebody else may be quicker with one of them.
            with contextlib.suppress(NotShared):
                self._session.unshare([shared.name])

    def _reset_peaks(self, args: dict[str, Any]) -> None:
        server = self._session.server
        if server is not None:
            # A row may stand for many objects of one path.
            idx = args.get("idx")
            for each in idx if isinstance(idx, list) else [idx]:
                server.reset_peaks(each)
