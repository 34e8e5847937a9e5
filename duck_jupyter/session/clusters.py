"""
The engines that shared names are on.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakSet

from ..engines.kernel import EngineKernel
from ..engines.replacing import Target
from ..stats.worker_rows import ClusterRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ..engines.engine import Engine
    from ..proxy import ProxyServer
    from ..stats.cluster_joining import Departed, Member
    from .names import Terms
    from .shared_names import SharedName

__all__ = ["NEWS_S", "Clusters", "ClustersSeen"]

#: Seconds to wait for news of a cluster where somebody looks once.
NEWS_S = 0.5


class _Call:
    """
    A call of `Clusters.joining`.
    """

    __slots__ = ("__weakref__",)


class ClustersSeen(NamedTuple):
    """
    The clusters at one moment.

    Attributes:
        members: Their workers.
        departed: Workers that have left, by address.
    """

    members: tuple[Member, ...]
    departed: Mapping[str, Departed]
    rows: tuple[ClusterRow, ...]


class Clusters:
    """
    Attaches an engine while names are on it, or tasks can ask for their versions.

    Args:
        names: Returns the shared names now.
    """

    def __init__(self, names: Callable[[], Iterable[SharedName]]) -> None:
        self._names = names
        self._lock = threading.RLock()
        self._kernels: dict[Engine, EngineKernel] = {}
        #: The calls of `joining` in progress. An interrupted one leaves with its frame.
        self._joining: defaultdict[Engine, WeakSet[_Call]]
        self._joining = defaultdict(WeakSet)
        #: How many have ended.
        self._joined = 0

    @contextmanager
    def joining(self, server: ProxyServer, terms: Terms) -> Iterator[None]:
        """
        Attach the engine of some names that are being shared.

        Args:
            server: The server of the names.
            terms: Their settings.

        Raises:
            NotShareable: The engine cannot be used.
            HandshakeError: Its workers have no or another version of this package.
        """
        engine = terms.on
        if engine is None:
            try:
                yield
            finally:
                self.settle()
            return
        call = _Call()
        try:
            with self._lock:
                self._joining[engine].add(call)
                kernel = self._kernels.get(engine)
                if kernel is not None and kernel.server is not server:
                    kernel.lost()  # other code closed its server
                    kernel = None
                if kernel is None:
                    kernel = EngineKernel(server, engine, lambda: self._targets(engine))
                    kernel.on_idle = self.settle
                    self._kernels[engine] = kernel
                engine.attach(kernel, insecure=terms.insecure)
                kernel.doors.open()
            yield
        finally:
            with self._lock:
                self._joining[engine].discard(call)
                self._joined += 1
            self.settle()

    def _targets(self, engine: Engine) -> Mapping[int, Target]:
        targets: dict[int, Target] = {}
        for shared in self._names():
            if shared.terms.on is engine:
                name, idx = shared.name, shared.proxy._duck_idx
                targets[id(shared.target)] = Target(name, shared.target, idx)
                targets[id(shared.proxy)] = Target(
                    name, shared.proxy, idx, is_proxy=True
                )
        return targets

    def settle(self) -> None:
        """
        Release the versions of names that are no longer shared, and unused engines.
        """
        with self._lock:
            kernels, joined = list(self._kernels.items()), self._joined
        for engine, kernel in kernels:
            kernel.settle()
            # The lock is not held: this takes the lock of the session.
            is_used = bool(self._targets(engine))
            with self._lock:
                # The set may count calls that are gone.
                is_joined = any(True for _ in self._joining[engine])
                if is_used or is_joined or self._joined != joined:
                    continue
                if kernel.is_idle or not kernel.doors.take_requests:
                    kernel.doors.close()
                if kernel.is_idle and self._kernels.get(engine) is kernel:
                    engine.detach()
                    del self._kernels[engine]

    def look(self, within_s: float = 0.0) -> ClustersSeen:
        """
        Return the workers of all clusters that names are on.

        Args:
            within_s: For how many seconds at most to wait for news of each.
        """
        with self._lock:
            kernels = list(self._kernels.items())
        members: dict[str, Member] = {}
        departed: dict[str, Departed] = {}
        rows = []
        for engine, kernel in kernels:
            listed = kernel.members.take(engine.workers(within_s))
            members |= {member.facts.address: member for member in listed}
            departed |= kernel.members.departed
            rows.append(
                ClusterRow(engine.word.capitalize(), web_link(engine.dashboard))
            )
        return ClustersSeen(tuple(members.values()), departed, tuple(rows))

    def stop(self) -> None:
        """
        Detach all engines.
        """
        with self._lock:
            kernels, self._kernels = self._kernels, {}
        for engine, kernel in kernels.items():
            kernel.lost()
            engine.detach()

    def after_fork(self) -> None:
        """
        In a forked child, forget the engines, which belong to the parent.
        """
        self._lock = threading.RLock()
        self._kernels = {}
        self._joining.clear()


def web_link(link: str) -> str:
    """
    Return a link that a page may open, or nothing.
    """
    return link if link.startswith(("http://", "https://", "/")) else ""
