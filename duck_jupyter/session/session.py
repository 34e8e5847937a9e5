"""
Session: the shared names of one process, and the server behind them.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ..data.handover import handover
from ..data.regions import has_memory
from ..errors import NotShared
from .missing_names import not_shared
from .names import Source, Terms, check_name, check_object, close_to, is_shareable
from .relocation import Moves, move_out
from .settings import DuckJupyter
from .shared_names import SharedName, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..proxy import Proxy, ProxyServer

__all__ = ["Session"]

_MISSING = object()


class Session:
    """
    The shared names of this process. Any thread may call it.

    It starts its server when something is shared for the first time; `stop` ends that,
    and so does the end of the process. After a fork the child's session is empty.

    Args:
        settings: What a server is started with.
    """

    def __init__(self, settings: DuckJupyter | None = None) -> None:
        self.settings: DuckJupyter = settings or DuckJupyter()
        #: A server runs, or ran before.
        self.has_served: bool = False
        # Both are used only while the lock is held.
        self._server: ProxyServer | None = None
        self._names: dict[str, SharedName] = {}
        #: The variables behind names that are not those of their variables, also when
        #: the names are shared no longer.
        self._followed: dict[str, Source] = {}
        self._lock = threading.RLock()

    @property
    def server(self) -> ProxyServer | None:
        """
        The server, or None where none runs.
        """
        with self._lock:
            server = self._server
            if server is not None and not server.running:
                # Somebody else closed it.
                for shared in self._names.values():
                    handover.discard(shared.target)
                self._server, self._names, server = None, {}, None
            return server

    @property
    def names(self) -> tuple[SharedName, ...]:
        """
        What is shared now, in the order of sharing.
        """
        self.follow()
        with self._lock:
            return tuple(self._names.values())

    def share(self, wishes: Sequence[Wish], terms: Terms) -> tuple[Proxy, ...]:
        """
        Share objects; all of them, or none.

        A name that is shared already goes on with the new object, for all its proxies;
        on other terms than before, the old proxies find nothing any more. Names that
        are allowed add to a name that is read-only, and stay so.

        Raises:
            NotShareable: A name, an object or a setting cannot be.
            DataTooBigError: There is no room for an object that is to be shared in
                place.
        """
        terms.check()
        for wish in wishes:
            check_name(wish.name)
            check_object(wish.target, repr(wish.name))
        with self._lock:
            terms = terms.filled_in(self._running_server())
            known = dict(self._names)
        terms = terms.added_to(
            [known[w.name].terms if w.name in known else None for w in wishes]
        )
        # This may copy gigabytes: not under the lock.
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
        # What goes may run code of the user's: not under the lock.
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
        return server

    def _make(
        self, server: ProxyServer, wishes: Sequence[Wish], terms: Terms
    ) -> dict[str, SharedName]:
        """
        Make the proxies that are not there yet.
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
            # First: in its place the new object would go.
            self._take_back(server, before)
            shared.proxy = server.retarget(shared.proxy, target)
            self._hand_over(server, shared)

    def _hand_over(self, server: ProxyServer, shared: SharedName) -> None:
        """
        Let pools send a handle when the object itself is passed to them.
        """
        if shared.terms.handover:
            # In place it goes as such, whatever its other names are shared as.
            for other in self._names.values():
                if other.target is shared.target and other.hands_over_in_place:
                    shared = other
            handover.on_pickling = self.follow
            give = partial(server.reduced, shared.proxy, shared.target)
            look: Any = None
            if has_memory(shared.target):
                idx = shared.proxy._duck_idx
                look = partial(server.publisher.look, idx, shared.target)
            handover.add(shared.target, give, look)

    def _take_back(self, server: ProxyServer, target: Any) -> None:
        """
        Let an object be pickled as ever, unless another name hands it over.
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
        Let names stand for what their variables stand for now.

        A variable that was deleted unshares its name. One that now names a module or a
        proxy, as after ``with locked(shared.n) as n``, leaves its name as it was.

        Args:
            name: The only name to look at; all of them by default.
        """
        gone: list[Any] = []
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
                elif is_shareable(value):
                    gone.append(shared.target)
                    self._aim(server, shared, value)
        gone.clear()

    def proxy(self, name: str) -> Proxy:
        """
        Give the proxy of a name.

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
        Share names no longer; all of them, or none. Their proxies then find nothing.

        A variable that was shared in place has ordinary memory again.

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

    def leave(self, namespace: Mapping[str, Any]) -> None:
        """
        Share no longer what follows the variables of a namespace.
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
        Forget all names and end the server; workers that wait get `KernelGone`.

        Twice is fine. The next `share` starts a new server.
        """
        with self._lock:
            server, self._server = self._server, None
            gone, self._names = self._names, {}
            for shared in gone.values():
                handover.discard(shared.target)
        if server is not None:
            server.close()
            # What is large goes now, and not when the server is collected.
            for shared in gone.values():
                server.remove_proxy(shared.proxy)
                move_out(shared)
        gone.clear()

    def after_fork(self) -> None:
        """
        In a child, leave to the parent what is the parent's.
        """
        self._lock = threading.RLock()
        self._server = None
        self._names = {}
        self._followed = {}
        self.has_served = False

    def __repr__(self) -> str:
        if self.server is None:
            return "<Session without a server>"
        return f"<Session sharing {', '.join(s.name for s in self.names) or 'nothing'}>"
