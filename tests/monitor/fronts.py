"""
Front: a front end of a real kernel, which asks on control and hears what is broadcast.
"""

from __future__ import annotations

import queue
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.magics.kernels import DEADLINE_S, Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Front"]

#: It prints a word, and lasts until somebody makes a file.
BUSY_CELL = """
import os as _os, threading as _threading
print("it is busy")
while not _os.path.exists({path!r}):
    _threading.Event().wait(0.005)
"""
LIVE = "duck_jupyter.live"
#: Threads of the monitor in a kernel.
TICKING = (
    "[t.name for t in __import__('threading').enumerate() if t.name == 'duck-monitor']"
)


class Front:
    """
    A front end that is no widget.

    Args:
        kernel: What it belongs to.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.client = kernel.client

    def ask(
        self, kind: str, deadline: float = DEADLINE_S, **content: Any
    ) -> dict[str, Any]:
        """
        Ask on the control channel.

        Args:
            kind: What, such as ``"duck_snapshot"``.
            deadline: Seconds to wait for the answer.
            content: The request.

        Raises:
            queue.Empty: There was no answer.
        """
        message = self.client.session.msg(f"{kind}_request", content)
        self.client.control_channel.send(message)
        return self._answer_to(
            message["header"]["msg_id"], self.client.get_control_msg, deadline
        )

    def _answer_to(
        self, key: str, get: Callable[..., dict[str, Any]], deadline: float
    ) -> dict[str, Any]:
        end = time.monotonic() + deadline
        while True:
            answer = get(timeout=max(0.0, end - time.monotonic()))
            if answer["parent_header"].get("msg_id") == key:
                found: dict[str, Any] = answer["content"]
                return found

    def begin(self, code: str) -> str:
        """
        Begin to run a cell as a person does, and give what its answer is known by.
        """
        key: str = self.client.execute(code, allow_stdin=True)
        return key

    def end(self, key: str) -> dict[str, Any]:
        """
        Wait for the end of a cell.
        """
        content = self._answer_to(key, self.client.get_shell_msg, DEADLINE_S)
        assert content["status"] == "ok", content
        return content

    def hear(
        self, wanted: Callable[[dict[str, Any]], bool], deadline: float = DEADLINE_S
    ) -> dict[str, Any]:
        """
        Wait for a broadcast message.

        Args:
            wanted: Tells whether it is this one.
            deadline: Seconds.

        Raises:
            queue.Empty: It did not come.
        """
        end = time.monotonic() + deadline
        while True:
            left = max(0.0, end - time.monotonic())
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=left)
            if wanted(message):
                return message

    def live(self, kind: str = "snapshot", deadline: float = DEADLINE_S) -> Any:
        """
        Wait for the monitor's next broadcast of a kind, and give its data.
        """
        message = self.hear(lambda m: is_live(m, kind), deadline)
        return message["content"]["data"]

    def tick(self, wanted: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        """
        Wait for a tick that has something to say.
        """
        found = self.hear(
            lambda m: (
                is_live(m, "snapshot") and wanted(m["content"]["data"]["snapshot"])
            )
        )
        tick: dict[str, Any] = found["content"]["data"]["snapshot"]
        return tick

    def drain(self) -> list[dict[str, Any]]:
        """
        Give what has been broadcast until now.
        """
        found: list[dict[str, Any]] = []
        with suppress(queue.Empty):
            while True:
                found.append(self.client.get_iopub_msg(timeout=0.05))
        return found

    @contextmanager
    def busy(self, folder: Path) -> Iterator[int]:
        """
        Let a cell run as long as the block does.

        Args:
            folder: A folder of the test's.

        Yields:
            The cell's number.
        """
        path = folder / f"over-{time.monotonic_ns()}"
        key = self.begin(BUSY_CELL.format(path=str(path)))
        begun = self.hear(
            lambda m: (
                m["parent_header"].get("msg_id") == key
                and m["msg_type"] == "execute_input"
            )
        )
        self.hear(
            lambda m: m["msg_type"] == "stream" and "it is busy" in m["content"]["text"]
        )
        try:
            yield begun["content"]["execution_count"]
        finally:
            path.touch()
            self.end(key)

    @property
    def pid(self) -> int:
        """
        The kernel's process.
        """
        provisioner: Any = self.kernel.manager.provisioner
        pid: int = provisioner.process.pid
        return pid

    @property
    def is_ticking(self) -> bool:
        """
        The monitor's thread runs. Asked with a cell.
        """
        return bool(self.kernel.value(TICKING))


def is_live(message: dict[str, Any], kind: str) -> bool:
    """
    Tell whether a message is the monitor's broadcast of a kind.
    """
    if message["msg_type"] != "comm_msg":
        return False
    data = message["content"]["data"]
    return bool(data.get("duck") == LIVE and data.get("kind") == kind)
