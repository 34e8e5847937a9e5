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
import io
import itertools
import pickle
import threading
import weakref
from collections import Counter, defaultdict, deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import cloudpickle
from dask._task_spec import Alias, List, Task
from dask.utils import apply
from distributed import Client

from ..errors import KernelGone
from . import dask_scheduler, dask_worker
from .dask_check import CLOSED, await_scheduler, check_cluster, check_error
from .dask_listing import Listing, end_in
from .dask_options import LISTS, MAP_OPTIONS, SUBMIT_OPTIONS
from .dask_relay import KernelEnd
from .dask_scheduler import CLIENTS, LEFT, VERSION_KEY, DuckVersions, topic_of
from .dask_sending import Sender
from .dask_ways import ways_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .engine import EngineWorker, Kernel, Version, Way

__all__ = ["DaskEngine", "engine_of"]

#: The states of a future that Dask does not compute again.
LOST = frozenset({"cancelled", "lost", "error"})
#: Threads that answer workers; each waits while one piece is sent.
THREADS = 8
#: Seconds to wait until workers have heard that a client is closed.
LAST_WORD_S = 5.0
#: The methods of a client that are replaced, and the methods of the engine instead.
WRAPPED = {
    "submit": "_submit",
    "map": "_map",
    "close": "_close",
    # Dask calls it when it gives up a scheduler.
    "_close": "_give_up",
}
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

    word: str = "dask"

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sender = Sender(client)
        self._relay = KernelEnd(client)
        self._listing = Listing(client)
        self._kernel: Kernel | None = None
        #: Whether the user accepts connections without encryption.
        self._insecure = False
        self._lock = threading.RLock()
        self._pool: ThreadPoolExecutor | None = None
        #: Sends messages to all workers, one after the other.
        self._teller: ThreadPoolExecutor | None = None
        self._untold: deque[Mapping[str, list[str]]] = deque()
        #: Done when all messages are sent.
        self._told: Future[None] | None = None
        #: The connection to the scheduler that has the plugin.
        self._connection: Any = None
        #: The kernel's name on this connection.
        self._name = ""
        #: How often a worker has left, by address.
        self._departures: Counter[str] = Counter()
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
        check_cluster(self._client, insecure=insecure)
        with self._lock:
            self._insecure = insecure
            if self._kernel is kernel:
                return
            self.detach()
            try:
                self._kernel = kernel
                self._pool = ThreadPoolExecutor(THREADS, "duck-dask")
                self._teller = ThreadPoolExecutor(1, "duck-dask-tell")
                self._register(kernel)
                self._listing.open()
                for name, ours in WRAPPED.items():
                    before = getattr(self._client, name)
                    wrapper = functools.partial(getattr(self, ours), before)
                    functools.update_wrapper(wrapper, before)
                    setattr(self._client, name, wrapper)
            except BaseException as error:
                self.detach()
                check_error(self._client, error)
                raise

    def ways(self) -> tuple[Way, ...]:
        """
        Return the address by which the scheduler knows this host; see `ways_of`.
        """
        kernel = self._kernel
        if kernel is None:
            return ()
        return ways_of(self._client, kernel.name, insecure=self._insecure)

    def reference(self, load: Any, data: bytes, version: Version | None) -> Any:
        """
        Return an argument that becomes ``load(data, ask)`` in the worker.

        Args:
            load: A function of a module that the workers have.
            data: Its argument.
            version: The version that the data refer to, or None.
        """
        future: Any = None
        await_scheduler(self._client)
        with self._lock:
            kernel = self._kernel
            if kernel is None or self._client.status in CLOSED:
                raise KernelGone(
                    "The client of Dask was closed while a task was submitted to it. "
                    "Make a new one with Client(ADDRESS) and share the object on it."
                )
            if self._connection is not self._client.scheduler_comm:
                self._register_again(kernel, version)
            if version is not None:
                future = self._futures.get(version)
                if future is None or future.status in LOST:
                    future = self._compute(data, version)
        loader = functools.partial(dask_worker.load_in_task, load, self._name)
        opened = Task(None, pickle.loads, pickle.dumps(loader))
        # Dask logs failed tasks as text, and the data of a proxy have the secret.
        found = io.BytesIO(data) if future is None else Alias(future.key)
        return Task(None, apply, opened, List(found))

    def _compute(self, data: bytes, version: Version) -> Any:
        """
        Submit the task whose result is the data.
        """
        before = self._futures.get(version)
        if before is not None:
            self._remove_key(version.token, before.key)
        key = f"{VERSION_KEY}{self._name}-{version.token}-{next(self._numbers)}"
        try:
            # Before it is submitted: the event of another key may come meanwhile.
            self._keys.setdefault(version.token, set()).add(key)
            future = Client.submit(self._client, bytes, data, key=key)
            self._futures[version] = future
        except BaseException:
            self._remove_key(version.token, key)
            raise
        return future

    def _remove_key(self, token: str, key: str) -> bool:
        """
        Remove a key, and return whether its token has no other one.
        """
        keys = self._keys.get(token, set())
        keys.discard(key)
        if not keys:
            self._keys.pop(token, None)
        return not keys

    def _register(self, kernel: Kernel) -> None:
        client = self._client
        connection = client.scheduler_comm
        # A new name: workers may have heard that the client left under the old one.
        name = f"{kernel.name}.{next(self._numbers)}"
        client.register_plugin(DuckVersions())
        self._relay.open(kernel.name, kernel.take)
        # What a proxy brings to another host asks by the kernel's own name.
        for topic in (topic_of(name), topic_of(kernel.name)):
            client.subscribe_topic(topic, self._on_event)
        client.subscribe_topic(LEFT, self._on_event)
        names = [name, kernel.name]
        client.log_event(CLIENTS, {"client": client.id, "kernels": names})
        self._name, self._connection = name, connection

    def _register_again(self, kernel: Kernel, version: Version | None) -> None:
        """
        Register after the connection was lost, when Dask has cancelled all futures.

        Args:
            kernel: The kernel.
            version: The version that is still used, or None.
        """
        self._register(kernel)
        used = None if version is None else version.token
        lost = [keys for token, keys in self._keys.items() if token != used]
        if self._pool is not None:
            for key in [key for keys in lost for key in keys]:
                # Nobody reports what was forgotten while there was no connection.
                self._pool.submit(self._forget, kernel, key)

    def _on_event(self, event: Any) -> None:
        """
        Take a message of the scheduler or of a worker, in the client's event loop.
        """
        pool, kernel, message = self._pool, self._kernel, event[1]
        if "left" in message:
            self._departures[message["left"]] += 1
            self._listing.drop(message["left"])
        before = self._departures.get(message.get("worker"), 0)
        if pool is not None and kernel is not None:
            # It is shut down when the client is closed at this moment.
            with contextlib.suppress(RuntimeError):
                pool.submit(self._serve, kernel, message, before)

    def _serve(self, kernel: Kernel, message: dict[str, Any], before: int) -> None:
        """
        Serve a message.

        Args:
            kernel: The kernel.
            message: The message.
            before: How often its worker had left when the message arrived.
        """
        if "left" in message:
            kernel.left(message["left"], end_in(message))
        elif "forgotten" in message:
            self._forget(kernel, message["forgotten"])
        else:
            sender = message["worker"]
            answer = kernel.answer(sender, message["data"])
            if self._departures.get(sender, 0) != before:
                # The kernel may have heard that first, in another thread.
                kernel.left(sender)
                return
            ticket = message["ask"]
            self._sender.answer(sender, dask_worker.receive, ticket, answer)

    def _forget(self, kernel: Kernel, key: str) -> None:
        token = key.split("-")[-2]
        with self._lock:
            is_gone = self._remove_key(token, key)
        if is_gone:
            kernel.forgotten(token)

    def workers(self, within_s: float = 0.0) -> Iterable[EngineWorker]:
        """
        Return the workers that the scheduler listed last; see `Engine.workers`.
        """
        return self._listing.look(within_s)

    @property
    def dashboard(self) -> str:
        """
        Return the link to Dask's dashboard, or nothing.
        """
        return self._listing.dashboard

    def tell(self, message: Mapping[str, list[str]]) -> None:
        """
        Send a message to every worker. It may be lost.
        """
        teller = self._teller
        if teller is not None:
            self._untold.append(message)
            # It is shut down when the client is closed at this moment.
            with contextlib.suppress(RuntimeError):
                self._told = teller.submit(self._tell)

    def _tell(self) -> None:
        """
        Send what is not sent yet as one message: each costs a round over all workers.
        """
        whole: defaultdict[str, list[str]] = defaultdict(list)
        while self._untold:
            for key, names in self._untold.popleft().items():
                whole[key] += names
        if whole:
            self._sender.call_all(dask_worker.hear, dict(whole))

    def detach(self) -> None:
        """
        Restore the client as it was before. Repeated calls do nothing.
        """
        with self._lock:
            kernel = self._kernel
            if kernel is None:
                return
            for name in WRAPPED:
                vars(self._client).pop(name, None)
            # Tasks that wait for an answer of this kernel hold a thread of a worker.
            self.tell({"lost": [self._name, kernel.name]})
            self._relay.close()
            self._listing.close()
            self._futures.clear()
            self._keys.clear()
            pools = self._pool, self._teller
            # Last: what an interrupt has cut short is done by the next call.
            self._pool = self._teller = self._connection = self._kernel = None
        for topic in (topic_of(self._name), topic_of(kernel.name), LEFT):
            # A client that is closed has no topics any more.
            with contextlib.suppress(Exception):
                self._client.unsubscribe_topic(topic)
        for pool in pools:
            if pool is not None:
                pool.shutdown(wait=False)
        if self._told is not None:
            # The client may be closed next, and then the message would be lost.
            wait([self._told], LAST_WORD_S)

    def _submit(
        self, before: Callable[..., Any], func: Any, /, *args: Any, **kwargs: Any
    ) -> Any:
        kernel = self._kernel
        if kernel is not None:
            options = {key: kwargs.pop(key) for key in SUBMIT_OPTIONS & kwargs.keys()}
            with kernel.replaced((args, kwargs)) as ((args, kwargs), _):
                return before(func, *args, **kwargs, **options)
        return before(func, *args, **kwargs)

    def _map(
        self, before: Callable[..., Any], func: Any, /, *iterables: Any, **kwargs: Any
    ) -> Any:
        kernel = self._kernel
        if kernel is not None:
            # Not the iterable itself, which may be a shared list.
            items = tuple(list(it) if type(it) in LISTS else it for it in iterables)
            options = {key: kwargs.pop(key) for key in MAP_OPTIONS & kwargs.keys()}
            with kernel.replaced((items, kwargs)) as ((iterables, kwargs), _):
                return before(func, *iterables, **kwargs, **options)
        return before(func, *iterables, **kwargs)

    def _close(self, before: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        kernel = self._kernel
        if kernel is not None:
            kernel.lost()
        self.detach()
        return before(*args, **kwargs)

    async def _give_up(
        self, before: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        """
        Release everything, in another thread: this one is the client's event loop.
        """
        pool, kernel = self._pool, self._kernel
        if pool is not None and kernel is not None:
            with contextlib.suppress(RuntimeError):
                pool.submit(self._lose, kernel)
        return await before(*args, **kwargs)

    def _lose(self, kernel: Kernel) -> None:
        # No way leads to the workers any more.
        teller, self._teller, self._told = self._teller, None, None
        if teller is not None:
            teller.shutdown(wait=False, cancel_futures=True)
        kernel.lost()
        if self._kernel is kernel:
            self.detach()


def engine_of(client: Any) -> DaskEngine:
    """
    Return the engine of a client, which is made once.
    """
    engine: DaskEngine | None = vars(client).get(ATTRIBUTE)
    if engine is None:
        engine = vars(client).setdefault(ATTRIBUTE, DaskEngine(client))
    return engine
