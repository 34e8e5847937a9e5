"""
The one session of a process, and the public functions that use it.
"""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING, Any, NoReturn

from ..engines.choice import find_engine
from ..errors import NotShared
from .clusters import NEWS_S
from .names import Terms, is_proxy
from .session import Session
from .shared import Shared
from .shared_names import Wish
from .tasks import statistics_of, tasks_seen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..proxy import Proxy
    from ..stats.rows import ServerStatistics
    from ..stats.task_statistics import TaskStatistics

__all__ = [
    "own_session",
    "own_shared",
    "share",
    "shared",
    "statistics",
    "tasks",
    "unshare",
]

_session = Session()

#: The proxies of this process's shared names.
shared: Shared = Shared(_session)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_session.after_fork)


def own_session() -> Session:
    """
    Return this process's session.
    """
    return _session


def own_shared() -> Shared:
    """
    Return this process's shared names.
    """
    return shared


def share(
    obj: Any,
    name: str,
    *,
    bufsize: int | None = None,
    readonly: bool = False,
    allow: Iterable[str] | None = None,
    max_chain: int | None = None,
    frozen: bool = False,
    inplace: bool = False,
    handover: bool = True,
    on: Any = None,
    insecure: bool = False,
) -> Proxy:
    """
    Share an object under a name; nothing of it is copied.

    Unlike ``%share NAME`` this shares this one object: the name follows no variable. If
    you share another object under the same name, the name and all its proxies stand for
    the new object.

    Args:
        obj: Any object but a module or a proxy.
        name: The name, as in ``shared.NAME``.
        bufsize: Size in bytes of the buffer for its calls.
        readonly: Refuse calls that may change the object: setting, deleting, and all
            methods except those of common types that only read.
        allow: The only names that may be used. With `readonly`, or if the name is
            already shared read-only, these names are allowed as well.
        max_chain: The highest level of a proxy that is reached through this one.
        frozen: The object will not change: it is published once and never compared.
        inplace: Move the object's data to shared memory, where all processes see every
            write. The object itself stays where it is: `fetch` returns the shared one.
        handover: A pool that gets the object itself sends a handle to its data.
        on: A client of Dask, "dask" for the current one, or "ray" for the cluster of
            Ray that this process is connected to: tasks of the cluster get the object
            itself as it is when they are submitted.
        insecure: With `on`, accept a cluster that sends data over a network without
            encryption.

    Returns:
        The proxy, which is also ``shared.NAME``.

    Raises:
        NotShareable: The object, the name or a setting is not valid; nothing changed.
        HandshakeError: The workers of `on` have no or another version of this package.
        DataTooBigError: There is no space for an object that is shared in place.
    """
    names = None if allow is None else frozenset(names_in(allow))
    terms = Terms(
        bufsize,
        readonly,
        names,
        max_chain,
        frozen,
        inplace,
        handover,
        None if on is None else find_engine(on),
        insecure,
    )
    return _session.share([Wish(name, obj)], terms)[0]


def unshare(*names: str | Proxy) -> None:
    """
    Stop sharing names, all or none. Their proxies then raise ProxyObjectNotFound.

    Args:
        names: Names, or the proxies themselves.

    Raises:
        NotShared: One of them is not a shared name or a proxy of one; nothing changed.
    """
    _session.unshare([_name_of(name) for name in names])


def statistics() -> ServerStatistics:
    """
    Return all counters of this process's server as one immutable value.

    ::

        for wait in statistics().waits:
            print(wait.worker, "waits for", wait.what, "that", wait.holder, "holds")

    Raises:
        NotShared: This process has no server: nothing is shared yet, the server was
            stopped, or this process is a worker.
    """
    server = _session.server
    if server is not None:
        return statistics_of(server, _session.clusters.look(NEWS_S))
    if multiprocessing.parent_process() is not None:
        raise NotShared(
            "This process is a worker and has no server, so it has no statistics. "
            "Call statistics() in the process that shared the objects."
        )
    raise NotShared(
        "Nothing is shared in this process, so there are no statistics. Share an "
        "object first: %share NAME, or share(obj, name='NAME')."
    )


def tasks() -> TaskStatistics:
    """
    Return what the pools of this process compute, as one immutable value.

    Pools that were made after ``%load_ext duck_jupyter`` are seen, also those that
    share nothing::

        for run in tasks().runs:
            print(run.function, run.done, "of", run.total, run.advice)

        for worker in tasks().workers:
            print(worker.name, worker.state, worker.t_computing, "s")

    Returns:
        `runs`: each function in each pool, how far it is, and where the time of its
        workers went, in seconds. `workers`: what each process does now. `pools` and
        `tasks`: the pools, and tasks that take half a second or longer. In a process
        without the extension, and in a worker, all of them are empty.
    """
    server = _session.server
    if server is None:
        return tasks_seen(())[0]
    found = statistics_of(server, _session.clusters.look(NEWS_S))
    return tasks_seen(found.workers)[0]


def names_in(allow: Iterable[str]) -> list[str]:
    """
    Return the names in a list whose items may hold several names, separated by commas.
    """
    if isinstance(allow, str):
        return [word.strip() for word in allow.split(",")]
    return list(allow)


def _name_of(what: Any) -> str:
    if not is_proxy(what):
        return str(what) if issubclass(type(what), str) else _refuse_object(what)
    for known in _session.names:
        if known.proxy._duck_idx == what._duck_idx and (
            known.proxy._duck_link is what._duck_link
        ):
            return known.name
    raise NotShared(f"{what!r} is not one of this process's shared names: {shared!r}.")


def _refuse_object(what: Any) -> NoReturn:
    names = [repr(known.name) for known in _session.names if known.target is what]
    advice = f"unshare({', '.join(names)})" if names else "unshare('NAME')"
    raise NotShared(
        "unshare() must be given names or proxies, such as 'n' or shared.n, not an "
        f"object of type {type(what).__name__}, which may be shared under several "
        f"names. Write {advice}."
    )
