"""
Proxy: stands for an object in another process, or in this one.

Every public name of a proxy belongs to its object. If the object does not have the
name, a few names are the proxy's own: `YIELDING`. Private attributes of a proxy begin
with ``_duck_``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..errors import AccessDenied, ProxyClosed
from ..protocol.live_tokens import live_token, salt
from ..protocol.opcodes import ProxyOpCode
from ..protocol.references import MethodMark, ObjectRef
from ..protocol.special_methods import BY_HAND, DESCRIBING
from ..protocol.traits import YIELDING
from ..protocol.values import MUTABLE_TYPES, PLAIN_TYPES
from . import caller_code
from .attribute_names import OWN_NAMES, is_of_object, refuse_own
from .copying import copied, copied_deeply
from .lost_changes import refuse_lost
from .manual_frames import ManualFrames
from .other_hosts import mark_for_clusters
from .proxy_class import class_maker
from .proxy_method import ProxyMethod
from .registry import link_to
from .reprs import CALLABLE_PREFIX, PROXY_PREFIX, line_of
from .thread_state import ARRIVED, Arrival
from .unadopted import Unadopted, settled
from .with_blocks import Entering, Leaving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.shared_memory import SharedMemory

    from .link import Link

__all__ = [
    "Proxy",
    "make_proxy",
    "rebuild_proxy",
    "rooted_proxy",
]

GET = int(ProxyOpCode.GET)
SET = int(ProxyOpCode.SET)
#: Names with two underscores that are read like any other name: every Python object has
#: some of them, and those of the proxy have no meaning of their own.
READ_OF_OBJECT = DESCRIBING | BY_HAND

_own = object.__getattribute__
_set_own = object.__setattr__


class _ClosedLink:
    """
    The link of a closed proxy: every use raises `ProxyClosed`.
    """

    def __getattr__(self, name: str) -> Any:
        raise ProxyClosed(
            "This proxy was closed in this process, by detach(proxy) or by its own "
            "close(). Use a new proxy, such as shared.NAME."
        )


CLOSED: Any = _ClosedLink()


class Proxy(ManualFrames):
    """
    Stands for an object of a server.

    The server makes it (`ProxyServer.create_proxy`, ``%share``). It pickles to a
    reference of a few hundred bytes and works in any process of the same user, in any
    number of threads. In the server's own process it calls the object directly.

    Args:
        proxy_server: The server that has the object.
        idx: The object's number there.
        target_obj: The object.
        shared_memory: The block for manual frames.

    Raises:
        ProxyObjectNotFound: The server has no object with this number.
    """

    __slots__ = (
        "__weakref__",
        "_duck_block_name",
        "_duck_idx",
        "_duck_link",
        "_duck_methods",
        "_duck_ref",
    )

    #: How references are written for people; no value is decoded from this text.
    _callable_prefix = CALLABLE_PREFIX
    _proxy_prefix = PROXY_PREFIX
    _cls_attrs = OWN_NAMES
    #: IPython reads this attribute before it asks an object how to display itself. If
    #: the attribute exists, IPython ignores the object's own display methods: the
    #: extension displays proxies (`magics.display`).
    _ipython_canary_method_should_not_exist_ = True

    _duck_block_name: str | None
    _duck_idx: int
    _duck_link: Link
    _duck_methods: set[str]
    _duck_ref: ObjectRef

    def __new__(
        cls,
        proxy_server: Any,
        idx: int,
        target_obj: Any,
        shared_memory: SharedMemory | None = None,
    ) -> Proxy:
        """
        Make a proxy of the class that has the special methods of its object.
        """
        ref = proxy_server.reference_to(idx, target_obj)
        name = None if shared_memory is None else shared_memory.name
        return rooted_proxy(proxy_server.link, ref, name)

    # -- the proxy's own -----------------------------------------------------------

    def close(self) -> None:
        """
        Close the proxy in this process. Repeated calls do nothing.

        If the object has a ``close``, ``proxy.close()`` calls that; `detach` closes any
        proxy.
        """
        link = _get_link(self)
        if link is CLOSED:
            return
        if type(link) is not Unadopted:
            link.held.give_back(self)
        _set_own(self, "_duck_link", CLOSED)

    # -- the object's ----------------------------------------------------------------

    def __getattribute__(self, name: str) -> Any:
        if (
            (name in OWN_NAMES or name[:2] == "__")
            and name not in READ_OF_OBJECT
            and (name not in YIELDING or not is_of_object(self, name))
        ):
            return _own_or_denied(self, name)
        link = _get_link(self)
        if link.server is not None:
            value = link.server.local_get(_get_idx(self), name)
        elif name in _get_methods(self):
            return ProxyMethod(self, name)
        else:
            value = link.request(GET, (_get_idx(self), name))
            kind = type(value)
            if kind in PLAIN_TYPES:
                return value
            if kind in MUTABLE_TYPES:
                refuse_lost(sys._getframe(1), caller_code.GET, name, value)
        if type(value) is MethodMark:
            if value.of_type:
                _get_methods(self).add(name)
            return ProxyMethod(self, name)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        refuse_own(name, "set")
        link = _get_link(self)
        idx = _get_idx(self)
        if link.server is not None:
            link.server.local_set(idx, name, value)
        elif type(value) in PLAIN_TYPES:
            link.request(SET, (idx, name, value))
        else:
            link.send(SET, (idx, name, value))

    def __delattr__(self, name: str) -> None:
        refuse_own(name, "deleted")
        _call(self, "__delattr__", name)

    def __getitem__(self, key: Any) -> Any:
        value = _call(self, "__getitem__", key)
        if type(value) in MUTABLE_TYPES and _get_link(self).server is None:
            refuse_lost(sys._getframe(1), caller_code.ITEM, "", value)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        _call(self, "__setitem__", key, value)

    __enter__: Entering = Entering()
    __exit__: Leaving = Leaving()

    def __del__(self) -> None:
        """
        Do nothing, whatever the object's own ``__del__`` does: the object lives on.

        A weak reference releases what this process holds: see `held_proxies`.
        """

    def __repr__(self) -> str:
        link = _get_link(self)
        return "<closed proxy>" if link is CLOSED else line_of(link, _get_ref(self))

    def __str__(self) -> str:
        text: str = _call(self, "__str__")
        return text

    __copy__ = copied
    __deepcopy__ = copied_deeply
    __dask_tokenize__ = live_token

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        link = _get_link(self)
        ref = _get_ref(self)
        if ref.level and type(link) is not Unadopted:
            # No process holds it during the transfer: the server keeps it until it
            # arrives.
            link.desk("lend", ref.idx)
        state = (link.address, link.secret, tuple(ref), _get_block_name(self))
        mark = mark_for_clusters(settled(link).ways, settled(link).mark)
        return rebuild_proxy, (*state, *(salt() or (mark and (b"",))), *mark)

    def __dir__(self) -> list[str]:
        return list(_call(self, "__dir__"))

    # Without these, Python would iterate with __getitem__, as over a sequence.
    __iter__: Any = None
    __reversed__: Any = None

    def _duck_token(self, link: Link) -> tuple[str, int] | None:
        """
        Return the token that a frame over `link` holds in place of the proxy.
        """
        mine = _get_link(self)
        if type(mine) is Unadopted and mine.link is link:
            mine = mine.adopt()
        if mine is not link:
            return None
        return ("object", _get_idx(self))


_get_link: Any = Proxy.__dict__["_duck_link"].__get__
_get_idx: Any = Proxy.__dict__["_duck_idx"].__get__
_get_ref: Any = Proxy.__dict__["_duck_ref"].__get__
_get_methods: Any = Proxy.__dict__["_duck_methods"].__get__
_get_block_name: Any = Proxy.__dict__["_duck_block_name"].__get__


def _own_or_denied(proxy: Proxy, name: str) -> Any:
    try:
        return _own(proxy, name)
    except AttributeError:
        link = _get_link(proxy)
        if link is CLOSED:
            raise
        raise AccessDenied(
            f"{name!r} of a {_get_ref(proxy).type_name} cannot be used through a "
            "proxy. Of the names with two underscores, a proxy has only the special "
            "methods of its object's type, and no setting allows others. In a worker, "
            "fetch(p) returns the object itself; or call a method that uses the name "
            "in the kernel."
        ) from None


def _call(proxy: Proxy, name: str, *args: Any, **kwargs: Any) -> Any:
    link = _get_link(proxy)
    if link.server is not None:
        return link.server.local_call(_get_idx(proxy), name, args, kwargs)
    return link.execute(_get_idx(proxy), name, args, kwargs)


_class_for = class_maker(Proxy, _call)


def _finish(
    link: Link, ref: ObjectRef, block_name: str | None, arrival: Arrival | None
) -> Proxy:
    proxy: Proxy = object.__new__(_class_for(ref.specials, ref.type_name))
    _set_own(proxy, "_duck_link", link)
    _set_own(proxy, "_duck_ref", ref)
    _set_own(proxy, "_duck_idx", ref.idx)
    _set_own(proxy, "_duck_methods", link.methods.setdefault(ref.type_id, set()))
    _set_own(proxy, "_duck_block_name", block_name)
    if not ref.level:
        return proxy
    if arrival is None:
        _set_own(proxy, "_duck_link", Unadopted(link, proxy, ref.idx))
    else:
        link.held.add(proxy, ref.idx, arrival)
        link.hold()
    return proxy


def rooted_proxy(link: Link, ref: ObjectRef, block_name: str | None) -> Proxy:
    """
    Make a proxy in the server's own process.

    Args:
        link: The link of that process.
        ref: The object.
        block_name: The block for manual frames, if it is not the server's.
    """
    return _finish(link, ref, block_name, ARRIVED)


def make_proxy(link: Link, ref: ObjectRef) -> Proxy:
    """
    Make a proxy of a reference from an answer, which the server already counts.
    """
    return _finish(link, ref, None, link.thread.arrival)


def rebuild_proxy(
    address: str,
    secret: bytes,
    state: tuple[Any, ...],
    block_name: str | None,
    _salt: bytes = b"",
    mark: str = "",
    ways: Sequence[tuple[Any, ...]] = (),
) -> Proxy:
    """
    Make a proxy from its pickle, without contacting its server.

    Args:
        address: As for `Link`.
        secret: As for `Link`.
        state: The fields of an `ObjectRef`.
        block_name: The block for manual frames, if it is not the server's.
        _salt: Not used; see `salt`.
        mark: The mark of the server's host, if a cluster may take the proxy elsewhere.
        ways: Where the server listens for other hosts, as the fields of `Way`.

    Raises:
        ProxyObjectNotFound: It stands for a chained object of this process that was
            removed.
    """
    link = link_to(address, secret, make_proxy)
    if mark and link.server is None:
        link.come_from(mark, ways)
    ref = ObjectRef(*state)
    if ref.level and link.server is None:
        return _finish(link, ref, block_name, None)
    if ref.level:
        link.desk("adopt", ref.idx)
    return _finish(link, ref, block_name, ARRIVED)
