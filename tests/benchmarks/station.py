"""
Station: a process that does on its main thread what it is told, one job at a time.
"""

from __future__ import annotations

import multiprocessing
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Station"]

DEADLINE_S = 120.0
CLOSE_S = 5.0


class Station:
    """
    A fresh process, idle until it is told something. Whoever makes it closes it.

    Args:
        name: The name of the process.
    """

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=work, args=(theirs,), name=name, daemon=True
        )
        self._process.start()
        theirs.close()

    def start(self, job: Callable[..., Any], *args: Any) -> None:
        """
        Have a job done, and go on.

        Args:
            job: A function of an importable module.
            args: Its arguments.
        """
        self._pipe.send((job, args))

    def result(self) -> Any:
        """
        Wait for the job that was started.

        Raises:
            RuntimeError: It raised, ended its process, or takes too long.
        """
        if not self._pipe.poll(DEADLINE_S):
            raise RuntimeError(f"{self._process.name} takes over {DEADLINE_S} s")
        try:
            error, value = self._pipe.recv()
        except EOFError:
            raise RuntimeError(f"{self._process.name} ended") from None
        if error:
            raise RuntimeError(f"{self._process.name} failed:\n{error}")
        return value

    def run(self, job: Callable[..., Any], *args: Any) -> Any:
        """
        Have a job done and wait for it; raises as `result`.
        """
        self.start(job, *args)
        return self.result()

    def close(self) -> None:
        """
        End the process; twice is fine.
        """
        self._pipe.close()
        self._process.join(CLOSE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def work(pipe: Connection) -> None:
    """
    Be the process: do jobs until the other end of the pipe is closed.
    """
    while True:
        try:
            job, args = pipe.recv()
        except EOFError:
            return
        try:
            answer = ("", job(*args))
        except Exception:
            answer = (traceback.format_exc(), None)
        pipe.send(answer)
