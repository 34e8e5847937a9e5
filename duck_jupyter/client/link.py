"""
A process's way to one server: channels for each thread, and what the process holds.

In the server's own process there is no way to go: the link has the server itself. A
child of fork inherits neither: its links start anew.
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
from .releaser import Releaser
from .requests import EXECUTE, NOTHING, Requests
from .timeout_messages import lock_timeout

if TYPE_CHECKING:
    from .held_proxies import Held
    from .local_server import LocalServer
    from .requests import MakeProxy

__all__ = ["Link"]

#: The lock of an object may take long, and others want this core meanwhile.
LOOKS_FOR_A_LOCK = 100
#: Seconds in which a busy server may say who holds a lock that was not free in time.
ASK_S = 0.25


class Link(Requests):
    """
    This process's way to one server.

    Args:
        address: The path of the server's socket.
        secret: What it wants to see proved.
        make_proxy: Makes a proxy of a reference that came over a link.
        server: The server, where this is its own process.
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
            self.held = HeldProxies(self._gone_here)
        self.methods: dict[int, set[str]] = {}

    def _start(self) -> None:
        super()._start()
        self._releaser = Releaser(
            lambda: self._connect(next(self.numbers)), self._adopt, self.desk
        )
        self.held = self._releaser.held

    def after_fork(self) -> None:
        """
        Start anew in a child: what was inherited belongs to the parent.
        """
        # Neither closing nor dropping may tell the server anything: the sockets stay
        # open in the parent, so only this process's descriptors go.
        for channel in list(self._channels):
            channel.close()
        if self.server is None:
            close_inherited(self.address)
        self.server = None
        self._start()

    def desk(self, word: str, *args: Any, looks: int = 0) -> Any:
        """
        Say a control word to the server itself.

        Args:
            word: The word.
            args: What belongs to it.
            looks: As `Channel.call` takes it.
        """
        if self.server is not None:
            return self.server.local_desk(word, args)
        return self.request(EXECUTE, (DESK, word, args, NOTHING), looks=looks)

    def summary(self, idx: int, within_s: float) -> tuple[str, str] | None:
        """
        Ask what an object is, in one line, and how it was reached.

        Args:
            idx: The object's number.
            within_s: Seconds to wait.

        Returns:
            None where the server has no such object any more.

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
            number: What the block is known by from here on.
            timeout: Seconds to wait, or None.

        Raises:
            ProxyTimeout: It did not become free in time.
            DeadlockError: It never would.
        """
        payload = (DESK, "lock", (idx, number), NOTHING)
        try:
            self.request(EXECUTE, payload, timeout, LOOKS_FOR_A_LOCK)
        except ProxyTimeout:
            what, holder = self._holder_of(idx)
            raise lock_timeout(what, holder, timeout) from None

    def _holder_of(self, idx: int) -> tuple[str, str]:
        """
        Ask for the name of an object, and for who holds its lock, for a message.
        """
        payload = (DESK, "holder", (idx,), NOTHING)
        try:
            what, holder = self.request(EXECUTE, payload, ASK_S)
        except ProxyError:
            return f"object {idx}", ""  # the server is busy, or it ended
        return what, holder

    def reference(
        self, idx: int, how: str, name: str, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        """
        Ask for whatever an attribute or a call gives as a reference.
        """
        if self.server is not None:
            return self.server.local_reference(idx, how, name, args, kwargs)
        return self.send(
            EXECUTE, [DESK, "reference", [idx, how, name, args, kwargs], {}]
        )

    def close_if_ended(self) -> bool:
        """
        Give back what a link to a server has that took its socket away.

        Returns:
            True when it had; every later use is a `KernelGone`.
        """
        if self.server is not None or Path(self.address).exists():
            return False
        self.ended = True
        # Threads find no channel of theirs any more, and what they had is closed: but
        # for a channel that waits for an answer, which hears of the end by itself.
        self._begin_threads()
        self._releaser.stop()
        return True

    def hold(self) -> None:
        """
        Stay connected from here on: the server keeps something for this process.
        """
        if self.server is None:
            self._releaser.start()

    def end_block(self, number: int) -> None:
        """
        Note that nobody leaves a block; safe in ``__del__``.
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
        Note that an iterator of this process went; safe in ``__del__``.
        """
        self._releaser.drop(idx)

    def __repr__(self) -> str:
        where = "here" if self.server is not None else f"{len(self._channels)} channels"
        return f"<Link to {self.address}, {where}>"
