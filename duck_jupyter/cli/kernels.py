"""
Running kernels, and what they say of what they share, on their control channel.

That channel is answered while a cell runs, and a request leaves nothing behind.
"""

from __future__ import annotations

import json
import queue
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import find_connection_file
from jupyter_core.paths import jupyter_runtime_dir

from ..errors import KernelGone, NotShared
from ..session.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KernelFile", "KernelLink", "link_to", "running_kernels", "the_file"]

#: Seconds to wait for an answer of a kernel that is alive.
PATIENCE_S = 5.0
#: Seconds for one that may not know the question.
SHORT_PATIENCE_S = 2.0
CONNECT_S = 0.5
#: Seconds after which a silent kernel may have ended.
GLANCE_S = 0.5


class KernelFile(NamedTuple):
    """
    The connection file of a kernel.
    """

    path: Path

    @property
    def name(self) -> str:
        """
        What the kernel is known by: ``kernel-NAME.json``.
        """
        return self.path.stem.removeprefix("kernel-")

    def is_alive(self) -> bool:
        """
        Tell whether somebody listens where the file says.
        """
        try:
            info = json.loads(self.path.read_text())
            if info.get("transport") == "ipc":
                return Path(f"{info['ip']}-{info['control_port']}").exists()
            where = (info["ip"], int(info["control_port"]))
            socket.create_connection(where, timeout=CONNECT_S).close()
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return False
        return True


def running_kernels() -> list[KernelFile]:
    """
    List the kernels of this user that run, the one that began last first.
    """
    folder = Path(jupyter_runtime_dir())
    files = sorted(
        folder.glob("kernel-*.json"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    return [found for path in files if (found := KernelFile(path)).is_alive()]


def the_file(name: str) -> KernelFile:
    """
    Find a kernel by its connection file, or by a part of its name.

    Raises:
        NotShared: There is none.
    """
    try:
        return KernelFile(Path(find_connection_file(name)))
    except OSError:
        raise NotShared(
            f"There is no kernel {name!r}. `jupyter duck list` shows those that run; "
            "in a notebook %connect_info names its file."
        ) from None


class KernelLink:
    """
    A way to ask a kernel.

    Args:
        file: Its connection file.
        client: A client whose control channel is open.
    """

    def __init__(self, file: KernelFile, client: Any) -> None:
        self.file = file
        self._client = client
        #: What the kernel has answered before.
        self._known = {"kernel_info"}

    def ask(
        self,
        kind: str,
        content: dict[str, Any] | None = None,
        patience: float = PATIENCE_S,
    ) -> dict[str, Any] | None:
        """
        Ask on the control channel.

        Args:
            kind: What, such as ``"kernel_info"``.
            content: The request.
            patience: Seconds.

        Returns:
            The content of the answer, or None where there was none in time, or the
            kernel does not know the question.
        """
        channel = self._client.control_channel
        key = self._send(kind, content or {})
        # A kernel says nothing to what it does not know, and one after the other.
        after = None if kind in self._known else self._send("kernel_info", {})
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            try:
                answer = channel.get_msg(timeout=min(left, GLANCE_S))
            except queue.Empty:
                if self.file.is_alive():
                    continue
                return None
            parent = answer["parent_header"].get("msg_id")
            if parent == key:
                self._known.add(kind)
                found: dict[str, Any] = answer["content"]
                return found
            if parent == after:
                return None
        return None

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        message = self._client.session.msg(f"{kind}_request", content)
        self._client.control_channel.send(message)
        key: str = message["header"]["msg_id"]
        return key

    def language(self) -> str:
        """
        Tell what the kernel speaks, such as ``"python"``; empty where it is silent.
        """
        info = self.ask("kernel_info") or {}
        return str((info.get("language_info") or {}).get("name", ""))

    def look(self, patience: float = PATIENCE_S) -> Snapshot:
        """
        Give what the kernel shares, as it is now, whole.

        Raises:
            NotShared: The kernel does not answer this: the extension is not loaded.
            KernelGone: The kernel has ended.
        """
        answer = self.ask("duck_snapshot", patience=patience)
        if answer is None:
            if not self.file.is_alive():
                raise KernelGone(f"The kernel {self.file.name} has ended.")
            raise NotShared(
                f"The kernel {self.file.name} has nothing to show: the extension is "
                "not loaded there (%load_ext duck_jupyter), or the kernel is inside "
                "one long call."
            )
        if answer.get("status") != "ok":
            raise NotShared(str(answer.get("message", answer)))
        try:
            return msgspec.convert(answer["snapshot"], Snapshot)
        except msgspec.ValidationError:
            raise NotShared(
                f"The kernel {self.file.name} runs another version of duck_jupyter "
                "than this one: install the same in both, and restart the kernel."
            ) from None


@contextmanager
def link_to(file: KernelFile) -> Iterator[KernelLink]:
    """
    Open the control channel of a kernel for a while; nothing of it is changed.
    """
    client: Any = BlockingKernelClient(connection_file=str(file.path))
    client.load_connection_file()
    client.start_channels(shell=False, iopub=False, stdin=False, hb=False, control=True)
    try:
        yield KernelLink(file, client)
    finally:
        client.stop_channels()
