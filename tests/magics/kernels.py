"""
Kernel: a kernel in a process of its own, as Jupyter starts it.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_core.utils import ensure_event_loop

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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

    Args:
        name: Of its kind.
        arguments: More words for its command line.
        env: What its environment has beside ours.
    """

    def __init__(
        self,
        name: str = "python3",
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._ended = False
        # Where the servers of Jupyter put it.
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"kernel-{uuid.uuid4()}.json"
        self.manager = KernelManager(kernel_name=name, connection_file=str(file))
        self.manager.start_kernel(
            cwd=str(ROOT),
            extra_arguments=list(arguments),
            env={**os.environ, **(env or {})},
        )
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=DEADLINE_S)
        except RuntimeError:
            self.end()
            raise

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
