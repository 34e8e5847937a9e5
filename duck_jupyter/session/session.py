"""
Session: the shared names of one process, and the server behind them.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ..data.handover import handover
from ..data.regions import has_memory
from ..engines.distributed_data import is_distributed, refuse_distributed
from ..errors import NotShared
from ..pools.capturing import capture_while
from .clusters import Clusters
from .missing_names import not_shared
from .names import Source, Terms, check_name, check_object, close_to, is_shareable
from .relocation import Moves, move_out
from .settings import DuckJupyter
from .shared_names import SharedName, Wish
from .tasks import tell_tasks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..proxy import Proxy, ProxyServer

__all__ = ["Session"]

_MISSING = object()


class Session:
    """
    The shared names of this process. Any thread may call it.

    The first `share` starts the server; `stop` and the end of the process end it. After
    a fork the child's session is empty.

    Args:
        settings: The settings for a new server.
    """

    def __init__(self, settings: DuckJupyter | None = None) -> None:
        self.settings: DuckJupyter = settings or DuckJupyter()
        #: Whether a server runs, or ran before.
        self.has_served: bool = False
        # Use both only while the lock is held.
        self._server: ProxyServer | None = None
        self._names: dict[str, SharedName] = {}
        #: The variables of names that differ from their variables, also after the names
        #: are unshared.
        self._followed: dict[str, Source] = {}
        self._lock = threading.RLock()
        #: The clusters that names are on.
        self.clusters: Clusters = Clusters(lambda: self.names)

    @property
    def server(self) -> ProxyServer | None:
        """
        The server, or None if none runs.
        """
        with self._lock:
            server = self._server
            if server is not None and not server.running:
                # Other code closed it.
                for shared in self._names.values():
                    handover.discard(shared.target)
                self._server, self._names, server = None, {}, None
            return server

    @property
    def names(self) -> tuple[SharedName, ...]:
        """
        The shared names, in the order of sharing.
        """
        self.follow()
        with self._lock:
            return tuple(self._names.values())

    def share(self, wishes: Sequence[Wish], terms: Terms) -> tuple[Proxy, ...]:
        """
        Share objects, all or none.

        A name that is already shared gets the new object, for all its proxies. With
        other settings than before, the old proxies raise `ProxyObjectNotFound`. If a
        name is read-only, allowed names are added to it, and it stays read-only.

        Raises:
            NotShareable: A name, an object or a setting is not valid.
            DataTooBigError: There is no space for an object that is shared in place.
        """
        terms.check()
        for wish in wishes:
            check_name(wish.name)
            check_object(wish.target, repr(wish.name))
            refuse_distributed(wish.target, repr(wish.name), terms.option_for_data)
        with self._lock:
            server = self._running_server()
            terms = terms.filled_in(server)
            known = dict(self._names)
        terms = terms.added_to(
            [known[w.name].terms if w.name in known else None for w in wishes]
        )
        with self.clusters.joining(server, terms):
            # This may copy gigabytes, so the lock is not held.
            moves = Moves(wishes, known, terms)
            try:
                return self._share(moves.wishes, terms, moves)
            except BaseException:
                moves.drop()
                raise

    def _share(
        self, wishes: Sequence[Wish], terms: Terms, moves: Moves
    ) -> tuple[Proxy, ...]:
        gone: list[Any] = []
        with self._lock:
            server = self._running_server()
            made = self._make(server, wishes, terms)
            for wish in wishes:
                old = self._names.get(wish.name)
                if wish.name not in made:
                    assert old is not None
                    gone.append(old.target)
                    self._aim(server, old, wish.target)
                    old.source = wish.source
                else:
                    if old is not None:
                        gone.append(self._pop(server, wish.name))
                        if not made[wish.name].goes_on(old):
                            server.remove_proxy(old.proxy)
                    self._names[wish.name] = made[wish.name]
                    self._hand_over(server, made[wish.name])
                if wish.source is None or wish.source.variable == wish.name:
                    self._followed.pop(wish.name, None)
                else:
                    self._followed[wish.name] = wish.source
                moves.finish(wish, server, self._names[wish.name])
            proxies = tuple(self._names[wish.name].proxy for wish in wishes)
        # Dropping these objects may run code of the user, so the lock is not held.
        gone.clear()
        return proxies

    def _running_server(self) -> ProxyServer:
        server = self.server
        if server is None:
            server = self.settings.make_server()
            try:
                server.run()
            except BaseException:
                server.close()
                raise
            self._server = server
            self.has_served = True
            tell_tasks_of(server)
        return server

    def _make(
        self, server: ProxyServer, wishes: Sequence[Wish], terms: Terms
    ) -> dict[str, SharedName]:
        """
        Make the missing proxies.
        """
        made: dict[str, SharedName] = {}
        try:
            for wish in wishes:
                old = self._names.get(wish.name)
                if old is not None and old.terms == terms:
                    continue
                proxy = server.create_proxy(
                    wish.target,
                    name=wish.name,
                    bufsize=terms.bufsize,
                    max_chain=terms.max_chain,
                    readonly=terms.readonly,
                    allow=terms.allow,
                    frozen=terms.frozen,
                    line=terms.line(wish.name, wish.source, server),
                )
                made[wish.name] = SharedName(
                    wish.name, wish.target, wish.source, terms, proxy
                )
        except BaseException:
            for new in made.values():
                old = self._names.get(new.name)
                if old is None or not new.goes_on(old):
                    server.remove_proxy(new.proxy)
            raise
        return made

    def _aim(self, server: ProxyServer, shared: SharedName, target: Any) -> None:
        if target is not shared.target:
            before, shared.target = shared.target, target
            # First take the old object back: handed over, it would pass for the new
            # one.
            self._take_back(server, before)
            shared.proxy = server.retarget(shared.proxy, target)
            self._hand_over(server, shared)

    def _hand_over(self, server: ProxyServer, shared: SharedName) -> None:
        """
        Register the object, so that pools send a handle for it.
        """
        if shared.terms.handover and not is_distributed(shared.target):
            # An object in place is handed over in place, whatever its other names say.
            for other in self._names.values():
                if other.target is shared.target and other.hands_over_in_place:
                    shared = other
            handover.on_pickling = self.follow
            give = partial(server.reduced, shared.proxy, shared.target)
            handover.on_use = capture_while if self.settings.pools else None
            look: Any = None
            idx = shared.proxy._duck_idx
            if has_memory(shared.target):
                look = partial(server.publisher.look, idx, shared.target)
            hold = partial(server.publisher.hold, idx, shared.target)
            handover.add(shared.target, give, look, hold)

    def _take_back(self, server: ProxyServer, target: Any) -> None:
        """
        Let pools pickle an object as usual, unless another name hands it over.
        """
        for other in self._names.values():
            if other.terms.handover and other.target is target:
                self._hand_over(server, other)
                return
        handover.discard(target)

    def _pop(self, server: ProxyServer, name: str) -> SharedName:
        shared = self._names.pop(name)
        self._take_back(server, shared.target)
        return shared

    def follow(self, name: str | None = None) -> None:
        """
        Update names to the present objects of their variables.

        If a variable was deleted, its name is unshared. If it now names a module or a
        proxy, as after ``with locked(shared.n) as n``, the name keeps its object.

        Args:
            name: The only name to update; all of them by default.
        """
        gone: list[Any] = []
        has_fewer = False
        with self._lock:
            server = self.server
            if server is None:
                return
            if name is None:
                looked_at = list(self._names.values())
            else:
                looked_at = [self._names[name]] if name in self._names else []
            for shared in looked_at:
                source = shared.source
                if source is None:
                    continue
                value = source.namespace.get(source.variable, _MISSING)
                if value is shared.target:
                    continue
                if value is _MISSING:
                    gone.append(self._pop(server, shared.name))
                    server.remove_proxy(shared.proxy)
                    has_fewer = True
                elif is_shareable(value):
                    gone.append(shared.target)
                    self._aim(server, shared, value)
        gone.clear()
        if has_fewer:
            self.clusters.settle()

    def proxy(self, name: str) -> Proxy:
        """
        Return the proxy of a name.

        Raises:
            NotShared: There is no such name in this process.
        """
        with self._lock:
            self.follow(name)
            shared = self._names.get(name)
        if shared is None:
            raise not_shared(name, self._names, self._followed.get(name))
        return shared.proxy

    def unshare(self, names: Sequence[str]) -> None:
        """
        Stop sharing names, all or none. Their proxies then raise `ProxyObjectNotFound`.

        A variable that was shared in place is moved back to ordinary memory.

        Raises:
            NotShared: One of them is not shared.
        """
        self.follow()
        gone: list[SharedName] = []
        with self._lock:
            for name in names:
                if name not in self._names:
                    raise NotShared(
                        f"{name!r} is not shared in this process, so there is nothing "
                        f"to unshare.{close_to(name, self._names)}"
                    )
            for name in dict.fromkeys(names):
                assert self._server is not None
                shared = self._pop(self._server, name)
                gone.append(shared)
                self._server.remove_proxy(shared.proxy)
        for shared in gone:
            move_out(shared)
        gone.clear()
        self.clusters.settle()

    def leave(self, namespace: Mapping[str, Any]) -> None:
        """
        Stop sharing the names that follow variables of a namespace.
        """
        followers = [
            shared.name
            for shared in self.names
            if shared.source is not None and shared.source.namespace is namespace
        ]
        self.unshare(followers)
        for name, source in list(self._followed.items()):
            if source.namespace is namespace:
                del self._followed[name]

    def stop(self) -> None:
        """
        Unshare all names and end the server; workers that wait get `KernelGone`.

        Repeated calls do nothing. The next `share` starts a new server.
        """
        with self._lock:
            server, self._server = self._server, None
            gone, self._names = self._names, {}
            for shared in gone.values():
                handover.discard(shared.target)
        self.clusters.stop()
        if server is not None:
            server.close()
            # Release large objects now, not when the server is collected.
            for shared in gone.values():
                server.remove_proxy(shared.proxy)
                move_out(shared)
        gone.clear()

    def after_fork(self) -> None:
        """
        In a forked child, forget the names and the server, which belong to the parent.
        """
        self._lock = threading.RLock()
        self._server = None
        self._names = {}
        self._followed = {}
        self.has_served = False
        self.clusters.after_fork()

    def __repr__(self) -> str:
        if self.server is None:
            return "<Session without a server>"
        return f"<Session sharing {', '.join(s.name for s in self.names) or 'nothing'}>"
