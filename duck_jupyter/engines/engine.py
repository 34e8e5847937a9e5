"""
What this package asks of an engine, and what it gives to one.

An engine runs tasks in processes that may be on other hosts. The data travel by the
planes of this package. The engine puts references into tasks, carries short requests of
workers to the kernel, and reports which workers left and which versions are forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from socket import socket
    from ssl import SSLContext

    from ..stats.exits import End

    #: Loads an argument in a worker: from its data, and from a function that sends a
    #: request to the kernel and returns the answer, or raises `ProxyTimeout`.
    Load = Callable[[bytes, Callable[[bytes], bytes]], Any]

__all__ = ["Engine", "EngineWorker", "Kernel", "Version", "Way"]


class Way(NamedTuple):
    """
    One address at which the kernel may listen for live calls of workers.
    """

    #: The address of this host by which workers reach it.
    host: str
    #: Returns the certificates of the kernel; None for connections without TLS.
    listen: Callable[[], SSLContext] | None = None
    #: A function of a module that the workers have, which returns theirs.
    connect: Callable[[], SSLContext] | None = None
    #: A function of a module that the workers have, which returns a connected socket:
    #: its other end arrives at `Kernel.take`. None if the engine relays nothing.
    relay: Callable[[], socket] | None = None
    #: A function of a module that the workers have, which sends a request to the kernel
    #: and returns the answer, or raises `ProxyTimeout`.
    ask: Callable[[bytes], bytes] | None = None


class EngineWorker(NamedTuple):
    """
    One worker, as the engine knows it.
    """

    #: The engine's name for it, as in `Kernel.left`.
    name: str
    #: What people call it: ``HOST:WORKER``.
    label: str
    #: 0 if the engine does not know it.
    pid: int
    #: Resident memory in bytes, as the engine measured it last, and the limit at which
    #: the engine ends the worker; 0 if the engine does not know them.
    memory: int
    state: str
    memory_limit: int = 0
    #: How many tasks it runs, and how many wait there; None if that is not known.
    running: int | None = None
    waiting: int | None = None
    #: Whether `pid` is the number of a process of this host.
    is_here: bool = False


class Version:
    """
    One version of an object. The engine keeps it in reach as long as this exists.

    Args:
        token: The identity of the version among all that the engine has.
    """

    __slots__ = ("__weakref__", "token")

    def __init__(self, token: str) -> None:
        self.token: str = token

    def __repr__(self) -> str:
        return f"<Version {self.token}>"


class Kernel(Protocol):
    """
    What an engine calls in the kernel, from any thread.
    """

    #: A random name, which differs between the kernels that use one cluster.
    name: str
    #: Sends a request of a worker to the kernel by a live call, and returns the answer.
    #: It can be pickled into tasks, for engines that carry no requests themselves.
    ask: Callable[[bytes], bytes]

    def replaced(self, value: Any) -> AbstractContextManager[tuple[Any, list[Version]]]:
        """
        Give arguments of tasks, with references in place of shared objects.

        The versions that they refer to, which are given as well, stay in reach until
        the end of the block, when the engine must have the task.

        Raises:
            ProxyError: A shared object cannot be published.
        """

    def answer(self, sender: str, request: bytes) -> bytes:
        """
        Answer a request of a worker.

        Args:
            sender: The engine's name for the worker.
            request: The request.
        """

    def take(self, end: socket) -> None:
        """
        Serve a worker whose connection the engine relays.

        Args:
            end: The connected socket, which the kernel closes.
        """

    def left(self, sender: str, end: End = ...) -> None:
        """
        Note that a worker has ended.

        Args:
            sender: The engine's name for the worker.
            end: How it ended, if the engine knows.
        """

    def forgotten(self, token: str) -> None:
        """
        Note that no task can ask for a version any more.
        """

    def lost(self) -> None:
        """
        Note that the engine is being closed, and all its tasks with it.
        """


class Engine(Protocol):
    """
    An engine. Any thread of the kernel may call it; a call takes at most seconds.
    """

    #: What users write after ``--on``, such as "dask".
    word: str

    def attach(self, kernel: Kernel, *, insecure: bool = False) -> None:
        """
        Begin to put references into tasks. Repeated calls only check the engine.

        Args:
            kernel: Is called back.
            insecure: Whether data may cross the network without encryption.

        Raises:
            NotShareable: The engine cannot be used, or only with `insecure`.
            HandshakeError: Its workers have no or another version of this package.
        """

    def ways(self) -> tuple[Way, ...]:
        """
        Return the ways for live calls, the best first, after `attach`.

        The kernel listens there, and only there, while names are shared on the engine.
        """

    def reference(self, load: Load, data: bytes, version: Version | None) -> Any:
        """
        Return an argument that becomes ``load(data, ask)`` where a task runs.

        Only the worker that runs the task loads it. The engine calls `Kernel.forgotten`
        when `version` does not exist any more and no task can ask for the argument.

        Args:
            load: A function of a module that the workers have.
            data: Its argument.
            version: The version that the data refer to, or None.
        """

    def workers(self, within_s: float = 0.0) -> Iterable[EngineWorker]:
        """
        Return the workers that the engine knows.

        The engine may ask its cluster for news, which later calls return.

        Args:
            within_s: For how many seconds at most to wait for the news.
        """

    @property
    def dashboard(self) -> str:
        """
        Return the link to the page that shows the cluster, or nothing.
        """

    def tell(self, message: Mapping[str, list[str]]) -> None:
        """
        Send a message to every worker. It may be lost, or joined to the next one.

        Args:
            message: Tokens of versions at "drop", names of kernels at "lost".
        """

    def detach(self) -> None:
        """
        Restore the engine as it was before `attach`. Repeated calls do nothing.
        """
