"""
Ray as an engine: the driver in the notebook, and its cluster.

Ray pickles an argument in the driver, and only the worker that runs the task unpickles
it. So a reference is an object that unpickles as the loaded argument. It also holds a
reference of Ray's own: the callback of that one says when no task can ask for the
argument any more. Requests of workers are live calls, because each worker of a cluster
of Ray must reach the driver anyway.
"""

from __future__ import annotations

import _thread
import contextlib
import functools
import importlib
import os
import ssl
import threading
import weakref
from typing import TYPE_CHECKING, Any

import ray
from ray import remote_function
from ray._private.worker import global_worker
from ray._raylet import CoreWorker
from ray.actor import ActorClass, ActorMethod
from ray.util import get_node_ip_address
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .._version import __version__
from ..errors import HandshakeError, NotShareable
from .engine import Version, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .engine import EngineWorker, Kernel

__all__ = ["ENGINE", "RayEngine", "connect_context", "load_in_task"]

if not hasattr(CoreWorker, "add_object_out_of_scope_callback"):
    raise ImportError("ray is older than 2.60")

#: What submits tasks, creates actors, and calls their methods; each by `_remote`.
SUBMITTERS = (remote_function.RemoteFunction, ActorClass, ActorMethod)
#: Seconds in which each node tells the version of this package.
VERSIONS_S = 60.0
LOOPBACK = "127.0.0.1"


class Reference:
    """
    An argument that the worker loads when it unpickles it.

    Args:
        parts: The arguments of `load_in_task`.
    """

    __slots__ = ("parts",)

    def __init__(self, *parts: Any) -> None:
        self.parts: tuple[Any, ...] = parts

    def __reduce__(self) -> tuple[Any, ...]:
        return load_in_task, self.parts


def load_in_task(
    load: Callable[..., Any], data: bytes, ask: Callable[[bytes], bytes], counted: Any
) -> Any:
    """
    Load an argument in the thread of a task.

    Args:
        load: As for `Engine.reference`.
        data: As for `Engine.reference`.
        ask: As for `Kernel.ask`.
        counted: What Ray counts in place of the version, or None.
    """
    # Python keeps the frames of an error, and Ray would count the version with them.
    del counted
    return load(data, ask)


class RayEngine:
    """
    The driver of this process as an engine: see `Engine` for the methods.
    """

    word: str = "ray"

    def __init__(self) -> None:
        self._kernel: Kernel | None = None
        #: Whether the user accepts connections without encryption.
        self._insecure = False
        self._lock = threading.RLock()
        #: The connection to Ray that objects are shared on.
        self._connection = ""
        #: What was replaced: its owner, its name, and what was there before.
        self._replaced: list[tuple[Any, str, Any]] = []
        #: What Ray counts in place of each version.
        self._counted = weakref.WeakKeyDictionary[Version, Any]()
        #: The versions with which Ray may start an actor again, by its handle.
        self._actors = weakref.WeakKeyDictionary[Any, list[Version]]()
        #: The nodes whose workers have this version of the package.
        self._checked: set[str] = set()

    def attach(self, kernel: Kernel, *, insecure: bool = False) -> None:
        """
        Begin to put references into tasks. Repeated calls only check the cluster.

        Raises:
            NotShareable: Ray cannot be used, or only with `insecure`.
            HandshakeError: The workers have no or another version of this package.
        """
        check_connection()
        if not (insecure or has_tls()):
            check_network()
        nodes = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
        self._checked |= check_workers(nodes - self._checked)
        here = connection_here()
        if self._kernel is kernel and self._connection != here:
            # Without our lock: `reference` takes it with the kernel's lock held.
            self._lose(kernel)
        with self._lock:
            self._insecure = insecure
            if self._kernel is kernel:
                self._connection = here
                return
            self.detach()
            self._kernel, self._connection = kernel, here
            for owner in SUBMITTERS:
                self._replace(owner, "_remote", self._submit)
            self._replace(ray, "shutdown", self._shutdown)

    def _replace(self, owner: Any, name: str, ours: Callable[..., Any]) -> None:
        before = vars(owner)[name]

        @functools.wraps(before)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return ours(before, *args, **kwargs)

        self._replaced.append((owner, name, before))
        setattr(owner, name, wrapper)

    def ways(self) -> tuple[Way, ...]:
        """
        Return the address by which other nodes know this one.

        Without TLS, nothing beyond this host is listened to unless the user accepts
        that.
        """
        kernel = self._kernel
        if kernel is None:
            return ()
        host = get_node_ip_address() if has_tls() or self._insecure else LOOPBACK
        if has_tls():
            return (Way(host, listen_context, connect_context, ask=kernel.ask),)
        return (Way(host, ask=kernel.ask),)

    def reference(self, load: Any, data: bytes, version: Version | None) -> Any:
        """
        Return an argument that becomes ``load(data, ask)`` in the worker.

        Args:
            load: A function of a module that the workers have.
            data: Its argument.
            version: The version that the data refer to, or None.
        """
        counted = None
        with self._lock:
            kernel = self._kernel
            here = connection_here()
            if kernel is None or not here or here != self._connection:
                raise NotShareable(
                    "Ray was shut down since the argument was shared on it. Call "
                    "ray.init() if it is not running, share the object again with "
                    "on='ray', and submit the task again."
                )
            if version is not None:
                counted = self._counted.get(version)
                if counted is None:
                    counted = self._count(kernel, version)
        return Reference(load, data, kernel.ask, counted)

    def _count(self, kernel: Kernel, version: Version) -> Any:
        """
        Return a reference of Ray's, which calls back when it is forgotten.
        """
        counted = ray.put(None)
        forget = functools.partial(_forget, kernel, version.token)
        global_worker.core_worker.add_object_out_of_scope_callback(counted, forget)
        self._counted[version] = counted
        return counted

    def workers(self, within_s: float = 0.0) -> Iterable[EngineWorker]:
        """
        Return nothing: Ray does not list its processes. Those that call are seen so.
        """
        return ()

    @property
    def dashboard(self) -> str:
        """
        Return the link to Ray's dashboard, or nothing.
        """
        node = global_worker.node if ray.is_initialized() else None
        place = None if node is None else node.webui_url
        return f"http://{place}" if place else ""

    def tell(self, message: Mapping[str, list[str]]) -> None:
        """
        Do nothing: Ray reaches no worker that runs a task.

        Workers drop what they do not use for some time.
        """

    def detach(self) -> None:
        """
        Restore the classes of Ray as they were before. Repeated calls do nothing.
        """
        with self._lock:
            self._kernel = None
            while self._replaced:
                owner, name, before = self._replaced[-1]
                setattr(owner, name, before)
                # After it: what an interrupt has cut short is done by the next call.
                self._replaced.pop()
            self._counted.clear()
            self._actors.clear()

    def _submit(
        self, before: Any, kind: Any, args: Any = None, kwargs: Any = None, **more: Any
    ) -> Any:
        kernel = self._kernel
        if kernel is None or not (args or kwargs):
            return before(kind, args, kwargs, **more)
        with kernel.replaced((args or (), kwargs or {})) as (given, versions):
            found = before(kind, *given, **more)
        if versions and isinstance(kind, ActorClass):
            # An actor that existed already was made with other arguments.
            self._actors.setdefault(found, versions)
        return found

    def _shutdown(self, before: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        kernel = self._kernel
        if kernel is not None:
            # The classes stay as they are: the next submit says what to do.
            self._lose(kernel)
        return before(*args, **kwargs)

    def _lose(self, kernel: Kernel) -> None:
        """
        Release everything, because Ray was shut down, or will be.
        """
        self._connection = ""
        self._counted.clear()
        self._actors.clear()
        kernel.lost()


def _forget(kernel: Kernel, token: str, _: bytes) -> None:
    """
    Report a forgotten version, in another thread: Ray has one for all callbacks.
    """
    # None is started any more when the interpreter ends.
    with contextlib.suppress(RuntimeError):
        _thread.start_new_thread(kernel.forgotten, (token,))


def check_connection() -> None:
    """
    Require a driver that is connected to a cluster.

    Raises:
        NotShareable: There is none, or it is on another machine.
    """
    if ray.util.client.ray.is_connected():
        raise NotShareable(
            "Ray must be started by ray.init() or joined by ray.init(address='auto') "
            "on a node of the cluster, not by a Ray client (ray://...), which pickles "
            "arguments on another machine."
        )
    if not ray.is_initialized():
        raise NotShareable(
            "Ray must be running before an object is shared on it. Call ray.init() "
            "first."
        )


def check_network() -> None:
    """
    Require that data do not cross a network without encryption.

    Raises:
        NotShareable: The cluster has other hosts.
    """
    here = get_node_ip_address()
    for node in ray.nodes():
        if node["Alive"] and node["NodeManagerAddress"] != here:
            raise NotShareable(
                f"The cluster of Ray with the node {node['NodeManagerAddress']} must "
                "use TLS: on plain TCP, everybody in its network can read the shared "
                "data and run code in the workers. Set RAY_USE_TLS=1 and the "
                "certificates on all nodes, or accept this with insecure=True "
                "(%share NAME --on ray --insecure)."
            )


def check_workers(nodes: Iterable[str]) -> set[str]:
    """
    Require this version of the package on some nodes.

    Args:
        nodes: Their ids.

    Returns:
        The nodes that have it; the others did not answer.

    Raises:
        HandshakeError: A node has no or another version.
    """

    def package_version() -> str:
        # A function in a function is pickled by value: a node may lack this module.
        try:
            return str(importlib.import_module("duck_jupyter").__version__)
        except ImportError:
            return ""

    task = ray.remote(num_cpus=0, max_retries=0)(package_version)
    asked = {}
    for node in nodes:
        where = NodeAffinitySchedulingStrategy(node, soft=False)
        asked[task.options(scheduling_strategy=where).remote()] = node
    answers, _ = ray.wait(list(asked), num_returns=len(asked), timeout=VERSIONS_S)
    for answer in answers:
        version = ray.get(answer)
        if version != __version__:
            what = f"duck_jupyter {version}" if version else "no duck_jupyter"
            raise HandshakeError(
                f"The node {asked[answer]} of Ray has {what}, and this notebook has "
                f"{__version__}. Install it on all nodes: pip install "
                f"duck-jupyter=={__version__}"
            )
    return {asked[answer] for answer in answers}


def connection_here() -> str:
    """
    Return the session of the cluster and the job in it, or "" if there is none.
    """
    if not ray.is_initialized():
        return ""
    job = ray.get_runtime_context().get_job_id()
    return f"{global_worker.node.session_name}/{job}"


def has_tls() -> bool:
    """
    Return whether the cluster encrypts what crosses a network.
    """
    return os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true")


def listen_context() -> ssl.SSLContext:
    """
    Return the certificates of this node, for connections that arrive.
    """
    return _with_certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


def connect_context() -> ssl.SSLContext:
    """
    Return the certificates of this node, for connections to another one.

    Raises:
        ValueError: It has none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Certificates of clusters are for their members, not for addresses.
    context.check_hostname = False
    return _with_certificates(context)


def _with_certificates(context: ssl.SSLContext) -> ssl.SSLContext:
    names = ("SERVER_CERT", "SERVER_KEY", "CA_CERT")
    cert, key, authority = (os.environ.get(f"RAY_TLS_{name}") for name in names)
    if not (cert and key and authority):
        raise ValueError("RAY_TLS_SERVER_CERT, _SERVER_KEY and _CA_CERT must be set")
    context.load_cert_chain(cert, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


#: The engine of the driver of this process.
ENGINE: RayEngine = RayEngine()
