"""
A process's link to one server: the channels of each thread, and held references.

In the server's own process there are no channels: the link has the server itself. A
child of fork inherits neither; its links start empty.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ProxyError, ProxyTimeout
from ..protocol.frames import encode_frame
from ..protocol.references import (
    DESK,
)
from ..transport.rendezvous import close_inherited
from .held_proxies import HeldProxies
from .other_hosts import Way, host_mark, merge_ways
from .releaser import Releaser
from .requests import EXECUTE, NOTHING, Requests
from .timeout_messages import lock_timeout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .held_proxies import Held
    from .local_server import LocalServer
    from .requests import MakeProxy

__all__ = ["Link"]

#: Waiting for a lock may take long, and other threads need this core meanwhile.
LOOKS_FOR_A_LOCK = 100
#: Seconds in which a busy server may answer who holds a lock that was not free in time.
ASK_S = 0.25


class Link(Requests):
    """
    This process's link to one server.

    Args:
        address: The path of the server's socket.
        secret: The secret that proves to the server that this process was given a
            proxy.
        make_proxy: Makes a proxy of a reference that arrived over a link.
        server: The server, if it runs in this process.
    """

    def __init__(
        self,
        address: str,
        secret: bytes,
        make_proxy: MakeProxy,
        server: LocalServer | None = None,
    ) -> None:
        super().__init__(address, secret, make_proxy)
        self.server = server
        if server is not None:
            self.held: HeldProxies = HeldProxies(self._gone_here)
        self.methods: dict[int, set[str]] = {}

    def _start(self) -> None:
        super()._start()
        self._releaser = Releaser(
            lambda: self._connect(next(self.numbers)), self._adopt, self.desk
        )
        self.held = self._releaser.held

    def after_fork(self) -> None:
        """
        Start empty in a child: what was inherited belongs to the parent.
        """
        # Neither closing nor dropping a channel may send anything to the server: the
        # sockets stay open in the parent, so only this process's descriptors are
        # closed.
        for channel in list(self._channels):
            channel.close()
        if self.server is None:
            close_inherited(self.address, *(way[:2] for way in self.ways))
        self.server = None
        self._start()

    def come_from(self, mark: str, ways: Iterable[tuple[Any, ...]]) -> None:
        """
        Note where the server is, as a proxy has brought it.

        Args:
            mark: The mark of its host.
            ways: Where it listens for other hosts, as the fields of `Way`.
        """
        self.mark: str = mark
        self.is_elsewhere: bool = mark != host_mark()
        merged = merge_ways((Way(*way) for way in ways), self.ways)
        self.ways: tuple[Way, ...] = merged

    def desk(self, word: str, *args: Any, looks: int = 0) -> Any:
        """
        Send a request to the server itself.

        Args:
            word: The name of the request.
            args: Its arguments.
            looks: As for `Channel.call`.
        """
        if self.server is not None:
            return self.server.local_desk(word, args)
        return self.request(EXECUTE, (DESK, word, args, NOTHING), looks=looks)

    def summary(self, idx: int, within_s: float) -> tuple[str, str] | None:
        """
        Ask for the description of an object in one line, and for its path.

        Args:
            idx: The object's number.
            within_s: Seconds to wait.

        Returns:
            None if the server no longer has the object.

        Raises:
            ProxyError: There is no answer.
        """
        found: tuple[str, str] | None
        if self.server is not None:
            found = self.server.local_desk("summary", (idx,))
        else:
            request = EXECUTE, (DESK, "summary", (idx,), NOTHING)
            found = self.ask_briefly(encode_frame(request), within_s)
        return found

    def lock(self, idx: int, number: int, timeout: float | None) -> None:
        """
        Wait for the lock of an object.

        Args:
            idx: The object's number.
            number: The number of the block.
            timeout: Seconds to wait, or None.

        Raises:
            ProxyTimeout: It did not become free in time.
            DeadlockError: Waiting would never end.
        """
        payload = (DESK, "lock", (idx, number), NOTHING)
        try:
            self.request(EXECUTE, payload, timeout, LOOKS_FOR_A_LOCK)
        except ProxyTimeout:
            what, holder = self._holder_of(idx)
            raise lock_timeout(what, holder, timeout) from None

    def _holder_of(self, idx: int) -> tuple[str, str]:
        """
        Ask for the name of an object and the holder of its lock, for a message.
        """
        payload = (DESK, "holder", (idx,), NOTHING)
        try:
            what, holder = self.request(EXECUTE, payload, ASK_S)
        except ProxyError:
            return f"object {idx}", ""  # the server is busy, or it has ended
        return what, holder

    def reference(
        self, idx: int, how: str, name: str, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        """
        Ask for the result of an attribute or a call as a reference.
        """
        if self.server is not None:
            return self.server.local_reference(idx, how, name, args, kwargs)
        return self.send(
            EXECUTE, [DESK, "reference", [idx, how, name, args, kwargs], {}]
        )

    def close_if_ended(self) -> bool:
        """
        Release what a link holds if its server has ended and removed its socket.

        Returns:
            True if the server has ended; every later use raises `KernelGone`.
        """
        if self.server is not None or Path(self.address).exists():
            return False
        if self.is_elsewhere and self.ways:
            return False  # only a call can tell
        self.ended = True
        # Threads find no channels any more, and idle channels are closed. Only a
        # channel that waits for an answer stays; it detects the end by itself.
        self._begin_threads()
        self._releaser.stop()
        return True

    def hold(self) -> None:
        """
        Stay connected from here on: the server holds something for this process.
        """
        if self.server is None:
            self.has_held = True
            self._releaser.start()

    def end_block(self, number: int) -> None:
        """
        Note that no thread will leave a block; safe in ``__del__``.
        """
        if self.server is not None:
            self.server.local_end(number)
        else:
            self._releaser.end_block(number)

    def _gone_here(self, held: Held) -> None:
        idx = self.held.take(held)
        if idx is not None and self.server is not None:
            self.server.local_drop(idx)

    def drop(self, idx: int) -> None:
        """
        Note that an iterator of this process was dropped; safe in ``__del__``.
        """
        self._releaser.drop(idx)

    def __repr__(self) -> str:
        where = "here" if self.server is not None else f"{len(self._channels)} channels"
        return f"<Link to {self.address}, {where}>"
