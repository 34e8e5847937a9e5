"""
Dask's `distributed` as an engine: a client in the notebook, and its cluster.

The data of a reference are the result of a tiny task, which Dask runs again when its
worker dies. The scheduler reports when no future and no task needs it any more. The
scheduler unpickles every argument, so a reference holds only what the scheduler has:
names of Dask, and bytes that the worker opens.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import pickle
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import cloudpickle
from dask._task_spec import Alias, List, Task
from dask.utils import apply
from distributed import Client
from distributed.comm.addressing import get_address_host

from ..errors import KernelGone
from . import dask_scheduler, dask_worker
from .dask_check import check_client, check_network, check_workers, is_safe
from .dask_relay import KernelEnd
from .dask_scheduler import LEFT, VERSION_KEY, DuckVersions, topic_of
from .dask_sending import Sender
from .engine import EngineWorker, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from ssl import SSLContext

    from .engine import Kernel, Version

__all__ = ["DaskEngine", "engine_of"]

#: The states of a future that Dask does not compute again.
LOST = frozenset({"cancelled", "lost", "error"})
#: Threads that answer workers; each waits while one piece is sent.
THREADS = 8
#: Seconds to wait until workers have heard that a client is closed.
LAST_WORD_S = 5.0
#: The methods of a client that are replaced.
WRAPPED = ("submit", "map", "close")
#: The arguments of `Client.map` whose items are replaced.
LISTS = (list, tuple)
#: The attribute of a client that holds its engine.
ATTRIBUTE = "_duck_engine"

# The scheduler and the workers of a check may not have this package.
cloudpickle.register_pickle_by_value(dask_scheduler)


class DaskEngine:
    """
    A client of Dask as an engine: see `Engine` for the methods.

    Args:
        client: The client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sender = Sender(client)
        self._relay: KernelEnd | None = None
        self._kernel: Kernel | None = None
        #: Whether the user accepts connections without encryption.
        self._insecure = False
        self._lock = threading.RLock()
        self._pool: ThreadPoolExecutor | None = None
        #: The last message to all workers.
        self._told: Future[None] | None = None
        #: The connection to the scheduler that has the plugin.
        self._connection: Any = None
        self._numbers = itertools.count(1)
        #: The future that holds the data of each version.
        self._futures: weakref.WeakKeyDictionary[Version, Any]
        self._futures = weakref.WeakKeyDictionary()
        #: The keys of each token that Dask has not forgotten.
        self._keys: dict[str, set[str]] = {}

    def attach(self, kernel: Kernel, *, insecure: bool = False) -> None:
        """
        Begin to put references into tasks. Repeated calls only check the engine.

        Raises:
            NotShareable: The client cannot be used, or only with `insecure`.
            HandshakeError: The workers have no or another version of this package.
        """
        check_client(self._client)
        if not insecure:
            check_network(self._client)
        check_workers(self._client)
        with self._lock:
            self._insecure = insecure
            if self._kernel is kernel:
                return
            self.detach()
            self._kernel = kernel
            self._pool = ThreadPoolExecutor(THREADS, "duck-dask")
            try:
                self._register(kernel)
                for name in WRAPPED:
                    before = getattr(self._client, name)
                    wrapper = functools.partial(getattr(self, f"_{name}"), before)
                    functools.update_wrapper(wrapper, before)
                    setattr(self._client, name, wrapper)
            except BaseException:
                self.detach()
                raise

    def ways(self) -> tuple[Way, ...]:
        """
        Return the address by which the scheduler knows this host.

        Without TLS, nothing beyond this host is listened to unless the user accepts
        that.
        """
        connection = self._client.scheduler_comm
        if connection is None:
            return ()
        address = connection.comm.local_address
        host, kernel = get_address_host(address), self._kernel
        if kernel is None:
            return ()
        relay = functools.partial(dask_worker.open_relay, kernel.name)
        ask = functools.partial(dask_worker.ask_from_here, kernel.name)
        if address.startswith("tls://"):
            connect = dask_worker.connect_context
            return (Way(host, self._listen_context, connect, relay, ask),)
        if address.startswith("tcp://") and (self._insecure or is_safe(address)):
            return (Way(host, relay=relay, ask=ask),)
        return ()

    def _listen_context(self) -> SSLContext:
        found: SSLContext = self._client.security.get_listen_args("client")[
            "ssl_context"
        ]
        return found

    def reference(self, load: Any, data: bytes, version: Version | None) -> Any:
        """
        Return an argument that becomes ``load(data, ask)`` in the worker.

        Args:
            load: A function of a module that the workers have.
            data: Its argument.
            version: The version that the data refer to, or None.
        """
        future: Any = None
        with self._lock:
            kernel = self._kernel
            if kernel is None:
                raise KernelGone(
                    "The client of Dask was closed while a task was submitted to it."
                )
            if self._connection is not self._client.scheduler_comm:
                self._register(kernel)  # the scheduler was started again
            if version is not None:
                future = self._futures.get(version)
                if future is None or future.status in LOST:
                    future = self._compute(kernel, data, version)
        loader = functools.partial(dask_worker.load_in_task, load, kernel.name)
        opened = Task(None, pickle.loads, pickle.dumps(loader))
        found = data if future is None else Alias(future.key)
        return Task(None, apply, opened, List(found))

    def _compute(self, kernel: Kernel, data: bytes, version: Version) -> Any:
        """
        Submit the task whose result is the data.
        """
        keys = self._keys.setdefault(version.token, set())
        before = self._futures.get(version)
        if before is not None:
            keys.discard(before.key)
        key = f"{VERSION_KEY}{kernel.name}-{version.token}-{next(self._numbers)}"
        keys.add(key)
        try:
            future = Client.submit(self._client, bytes, data, key=key)
            self._futures[version] = future
        except BaseException:
            keys.discard(key)
            raise
        return future

    def _register(self, kernel: Kernel) -> None:
        client = self._client
        connection = client.scheduler_comm
        client.register_plugin(DuckVersions())
        if self._relay is not None:
            self._relay.close()
        self._relay = KernelEnd(client, kernel.name, kernel.take)
        # Without it, workers connect directly, or say that they cannot.
        with contextlib.suppress(OSError):
            self._relay.open()
        client.subscribe_topic(topic_of(kernel.name), self._on_event)
        client.subscribe_topic(LEFT, self._on_event)
        self._connection = connection

    def _on_event(self, event: Any) -> None:
        """
        Take a message of the scheduler or of a worker, in the client's event loop.
        """
        pool, kernel = self._pool, self._kernel
        if pool is not None and kernel is not None:
            # It is shut down when the client is closed at this moment.
            with contextlib.suppress(RuntimeError):
                pool.submit(self._serve, kernel, event[1])

    def _serve(self, kernel: Kernel, message: dict[str, Any]) -> None:
        if "left" in message:
            kernel.left(message["left"])
        elif "forgotten" in message:
            self._forget(kernel, message["forgotten"])
        else:
            sender = message["worker"]
            answer = kernel.answer(sender, message["data"])
            ticket = message["ask"]
            self._sender.answer(sender, dask_worker.receive, ticket, answer)

    def _forget(self, kernel: Kernel, key: str) -> None:
        token = key.split("-")[-2]
        with self._lock:
            keys = self._keys.get(token, set())
            keys.discard(key)
            is_gone = not keys
            if is_gone:
                self._keys.pop(token, None)
        if is_gone:
            kernel.forgotten(token)

    def workers(self) -> Iterable[EngineWorker]:
        """
        Return the workers that the scheduler listed last.
        """
        listed = self._client.scheduler_info(n_workers=-1)["workers"]
        return [
            EngineWorker(
                str(worker["name"]),
                worker["host"],
                0,
                worker["nthreads"],
                worker.get("metrics", {}).get("memory", 0),
                worker.get("status", ""),
            )
            for worker in listed.values()
        ]

    def tell(self, message: Mapping[str, Any]) -> None:
        """
        Send a message to every worker. It may be lost.
        """
        pool = self._pool
        if pool is not None:
            # It is shut down when the client is closed at this moment.
            with contextlib.suppress(RuntimeError):
                hear = dask_worker.hear
                self._told = pool.submit(self._sender.call_all, hear, dict(message))

    def detach(self) -> None:
        """
        Restore the client as it was before. Repeated calls do nothing.
        """
        with self._lock:
            kernel = self._kernel
            if kernel is None:
                return
            # Tasks that wait for an answer of this kernel hold a thread of a worker.
            self.tell({"lost": kernel.name})
            pool, self._pool, self._kernel = self._pool, None, None
            if self._relay is not None:
                self._relay.close()
                self._relay = None
            self._connection = None
            for name in WRAPPED:
                vars(self._client).pop(name, None)
            self._futures.clear()
            self._keys.clear()
        for topic in (topic_of(kernel.name), LEFT):
            # A client that is closed has no topics any more.
            with contextlib.suppress(Exception):
                self._client.unsubscribe_topic(topic)
        if pool is not None:
            pool.shutdown(wait=False)

    def _submit(
        self, before: Callable[..., Any], func: Any, /, *args: Any, **kwargs: Any
    ) -> Any:
        kernel = self._kernel
        if kernel is not None:
            args, kwargs = kernel.replace((args, kwargs))
        return before(func, *args, **kwargs)

    def _map(
        self, before: Callable[..., Any], func: Any, /, *iterables: Any, **kwargs: Any
    ) -> Any:
        kernel = self._kernel
        if kernel is not None:
            # Not the iterable itself, which may be a shared list.
            items = tuple(list(it) if type(it) in LISTS else it for it in iterables)
            iterables, kwargs = kernel.replace((items, kwargs))
        return before(func, *iterables, **kwargs)

    def _close(self, before: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        kernel = self._kernel
        if kernel is not None:
            kernel.lost()
        self.detach()
        if self._told is not None:
            wait([self._told], LAST_WORD_S)
        return before(*args, **kwargs)


def engine_of(client: Any) -> DaskEngine:
    """
    Return the engine of a client, which is made once.
    """
    engine: DaskEngine | None = vars(client).get(ATTRIBUTE)
    if engine is None:
        engine = vars(client).setdefault(ATTRIBUTE, DaskEngine(client))
    return engine
