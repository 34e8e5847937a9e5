"""
Running kernels, and requests for what they share.

The requests use the control channel: a kernel answers it while a cell runs, and a
request leaves nothing behind there.
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
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import find_connection_file
from jupyter_core.paths import jupyter_runtime_dir

from ..errors import KernelGone, NotShared
from ..monitor.comm import LIVE_PREFIX, LIVE_TARGET
from ..session.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import ProxyError

__all__ = ["KernelFile", "KernelLink", "link_to", "running_kernels", "the_file"]

#: Seconds to wait for an answer of a kernel that is alive.
PATIENCE_S = 5.0
#: Seconds to wait for one of many kernels.
SHORT_PATIENCE_S = 2.0
CONNECT_S = 0.5
#: Milliseconds for which the last message to a kernel may wait to be sent.
LINGER_MS = 100
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
        The name of the kernel in the name of its file: ``kernel-NAME.json``.
        """
        return self.path.stem.removeprefix("kernel-")

    def is_alive(self) -> bool:
        """
        Return whether a process listens at the address in the file.
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
    Return the running kernels of this user, the newest first.
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


class Identity(NamedTuple):
    """
    The language of a kernel, and whether it has the extension.
    """

    #: Such as ``"python"``.
    language: str
    #: Whether the extension is loaded.
    is_loaded: bool


class KernelLink:
    """
    A connection to a kernel.

    Args:
        file: Its connection file.
        client: A client whose control channel is open.
    """

    def __init__(self, file: KernelFile, client: Any) -> None:
        self.file = file
        self._client = client
        #: Whether the extension was loaded at the last request.
        self._is_loaded = False

    def tell(self, kind: str, content: dict[str, Any] | None = None) -> str:
        """
        Send a request on the control channel, and do not wait for the answer.

        Args:
            kind: Its kind, such as ``"kernel_info"``.
            content: The request.

        Returns:
            The id that the answer refers to.
        """
        message = self._client.session.msg(f"{kind}_request", content or {})
        self._client.control_channel.send(message)
        key: str = message["header"]["msg_id"]
        return key

    def ask(
        self,
        kind: str,
        content: dict[str, Any] | None = None,
        patience: float = PATIENCE_S,
    ) -> dict[str, Any] | None:
        """
        Send a request, and wait for the answer.

        Args:
            kind: Its kind, such as ``"kernel_info"``; the kernel must know it.
            content: The request.
            patience: Seconds.

        Returns:
            The content of the answer, or None if there was none in time.
        """
        asked = self.tell(kind, content)
        for key, answer in self._answers(patience):
            if key == asked:
                return answer
        return None

    def _answers(self, patience: float) -> Iterator[tuple[str, dict[str, Any]]]:
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            try:
                answer = self._client.control_channel.get_msg(
                    timeout=min(left, GLANCE_S)
                )
            except queue.Empty:
                if self.file.is_alive():
                    continue
                return
            yield answer["parent_header"].get("msg_id", ""), answer["content"]

    def identity(self, patience: float = PATIENCE_S) -> Identity | None:
        """
        Ask the kernel for its language and its comms.

        Every kernel knows these requests; it logs an unknown one as an error. If the
        extension is loaded, the monitor's comm is among the comms.

        Args:
            patience: Seconds.

        Returns:
            None if it does not answer in time.
        """
        comms = self.tell("comm_info", {"target_name": LIVE_TARGET})
        # Some kernels do not answer this request on the control channel.
        info = self.tell("kernel_info")
        is_loaded = False
        for key, answer in self._answers(patience):
            if key == comms:
                is_loaded = bool(answer.get("comms"))
            if key == info:
                language = (answer.get("language_info") or {}).get("name", "")
                self._is_loaded = is_loaded
                return Identity(str(language), is_loaded)
        return None

    def look(self, patience: float = PATIENCE_S) -> Snapshot:
        """
        Return the present whole snapshot of the kernel.

        Args:
            patience: Seconds.

        Raises:
            NotShared: The extension is not loaded, or there is no answer in time.
            KernelGone: The kernel has ended.
        """
        self.require_loaded(patience)
        return self.read(self.ask("duck_snapshot", patience=patience))

    def require_loaded(self, patience: float = PATIENCE_S) -> None:
        """
        Check that the extension is loaded, which answers our requests.

        Args:
            patience: Seconds.

        Raises:
            NotShared: The extension is not loaded, or there is no answer in time.
            KernelGone: The kernel has ended.
        """
        if self._is_loaded:
            return
        found = self.identity(patience)
        if found is None:
            raise self.silence()
        if not found.is_loaded:
            raise self.absence()

    def read(self, answer: dict[str, Any] | None) -> Snapshot:
        """
        Return the snapshot in an answer.

        Args:
            answer: The content of the answer; None if there was none.

        Raises:
            NotShared: It has no snapshot, or one of another version.
            KernelGone: The kernel has ended.
        """
        if answer is None:
            raise self.silence()
        if answer.get("status", "ok") != "ok":
            raise NotShared(str(answer.get("message", answer)))
        try:
            return msgspec.convert(answer["snapshot"], Snapshot)
        except msgspec.ValidationError:
            raise NotShared(
                f"The kernel {self.file.name} runs another version of duck_jupyter "
                "than this one: install the same in both, and restart the kernel."
            ) from None

    def absence(self) -> NotShared:
        """
        Return the error that the extension is not loaded.
        """
        return NotShared(
            f"The kernel {self.file.name} has nothing to show: the extension is not "
            "loaded there (%load_ext duck_jupyter)."
        )

    def silence(self) -> ProxyError:
        """
        Return the error that there was no answer.
        """
        if not self.file.is_alive():
            return KernelGone(f"The kernel {self.file.name} has ended.")
        return NotShared(
            f"The kernel {self.file.name} does not answer: it is stopped, or inside "
            "one long call."
        )

    def hear(self, patience: float, beside: int | None = None) -> dict[str, Any] | None:
        """
        Wait for a broadcast of the monitor. The link must have been made with `hears`.

        Args:
            patience: Seconds.
            beside: A descriptor. The wait also ends when it is readable.

        Returns:
            The content of the broadcast, or None if there was none in time.
        """
        channel = self._client.iopub_channel
        poller = zmq.Poller()
        for waited in (channel.socket, beside):
            if waited is not None:
                poller.register(waited, zmq.POLLIN)
        if channel.socket not in dict(poller.poll(int(patience * 1e3))):
            return None
        try:
            message = channel.get_msg(timeout=0)
        except queue.Empty:
            return None
        data = message["content"].get("data")
        is_ours = isinstance(data, dict) and data.get("duck") == LIVE_TARGET
        found: dict[str, Any] = data if is_ours else {}
        return found


@contextmanager
def link_to(file: KernelFile, *, hears: bool = False) -> Iterator[KernelLink]:
    """
    Open channels to a kernel for a while. The kernel does not change.

    Args:
        file: Its connection file.
        hears: Whether to receive the broadcasts of the monitor.
    """
    client: Any = BlockingKernelClient(connection_file=str(file.path))
    client.load_connection_file()
    client.start_channels(shell=False, iopub=hears, stdin=False, hb=False, control=True)
    if hears:
        # Without the outputs of cells.
        broadcasts = client.iopub_channel.socket
        broadcasts.unsubscribe(b"")
        broadcasts.subscribe(f"comm-{LIVE_PREFIX}".encode())
    try:
        yield KernelLink(file, client)
    finally:
        client.stop_channels()
        # Older clients leave that to the garbage collector.
        client.context.destroy(linger=LINGER_MS)
