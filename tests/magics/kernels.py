"""
Kernel: a kernel in a process of its own, as Jupyter starts it.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel
from jupyter_core.utils import ensure_event_loop

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["CellError", "Kernel"]

DEADLINE_S = 30.0


class CellError(Exception):
    """
    A cell raised; the message is what the notebook shows of it, without colours.
    """


class Kernel:
    """
    A kernel that ends with its ``with`` block.
    """

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(cwd=str(ROOT))
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self, *, now: bool = False) -> None:
        """
        Shut the kernel down as the menu does. Twice is fine.

        Args:
            now: Kill it, without asking it first.
        """
        if not self._ended:
            self._ended = True
            self.client.stop_channels()
            self.manager.shutdown_kernel(now=now)
            self.manager.cleanup_resources()
            close_loop()

    def interrupt(self) -> None:
        """
        Interrupt what runs, as the stop button does. Called in a thread of its own.
        """
        self.manager.interrupt_kernel()
        close_loop()

    def run(self, code: str, *, silent: bool = False, interrupt_at: str = "") -> str:
        """
        Run a cell, and give what it prints.

        Args:
            code: The cell.
            silent: Run it as front ends do that look at variables.
            interrupt_at: Interrupt it once it has printed this.

        Raises:
            CellError: The cell raised.
        """
        printed: list[str] = []
        interrupts: list[threading.Thread] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])
            if interrupt_at and interrupt_at in "".join(printed) and not interrupts:
                interrupts.append(threading.Thread(target=self.interrupt))
                interrupts[0].start()

        reply = self.client.execute_interactive(
            code, silent=silent, output_hook=hear, timeout=DEADLINE_S, allow_stdin=False
        )
        for interrupt in interrupts:
            interrupt.join()
        content = reply["content"]
        if content["status"] != "ok":
            raise CellError(f"{content['ename']}: {content['evalue']}")
        return "".join(printed)

    def value(self, expression: str) -> Any:
        """
        Evaluate an expression whose value JSON can say.
        """
        return json.loads(self.run(f"import json; print(json.dumps({expression}))"))

    def complete(self, line: str) -> list[str]:
        """
        Press the tab key at the end of a line.
        """
        reply = self.client.complete(line, reply=True, timeout=DEADLINE_S)
        matches: list[str] = reply["content"]["matches"]
        return matches


def close_loop() -> None:
    """
    Close this thread's event loop: a blocking call of Jupyter's makes it and keeps it.
    """
    ensure_event_loop().close()
