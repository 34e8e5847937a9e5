"""
Other hosts for tests: processes in namespaces of this machine, and a cluster of Dask.

A process of another host has process numbers, shared memory and a temporary folder of
its own, so it finds neither the kernel's memory nor its socket. It may have its own
network, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from distributed import Client

from tests.support.clusters import WAIT_S
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed.security import Security

__all__ = [
    "ONLY_ROOT",
    "Cluster",
    "Network",
    "bridge",
    "cluster",
    "far_process",
    "join",
    "network",
]

#: Of tests with networks of their own.
ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes networks")
#: So many networks may exist at the same time in one process.
NETWORKS = 5
#: What gives a command folders of its own, and runs it. What it leaves goes with them.
OWN_FOLDERS = (
    'mount -t tmpfs none "$TMPDIR" && mount -t tmpfs none /dev/shm && exec "$@"'
)


class Network(NamedTuple):
    """
    A network namespace, and the cable between it and this one.
    """

    name: str
    #: The addresses of this host and of the other one.
    here: str
    there: str
    cable: str

    def set_link(self, state: str) -> None:
        """
        Set the cable "up" or "down".
        """
        run_ip("link", "set", self.cable, state)


def run_ip(*words: str) -> None:
    """
    Run ip(8).
    """
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=WAIT_S)


@contextlib.contextmanager
def network(number: int) -> Iterator[Network]:
    """
    Make a network namespace; only root may.

    Args:
        number: Below `NETWORKS`, and of its own among those that exist at the same time
            in one process.
    """
    # Others may test on this machine.
    own = os.getpid() * NETWORKS + number
    start = f"10.{64 + own // 250 % 128}.{own % 250}"
    name, cable = f"duck-{os.getpid()}-{number}", f"dk{os.getpid() % 10**7}-{number}"
    found = Network(name, f"{start}.1", f"{start}.2", cable)
    with _connected(found):
        run_ip("addr", "add", f"{found.here}/24", "dev", cable)
        run_ip("link", "set", cable, "up")
        yield found


@contextlib.contextmanager
def _connected(net: Network) -> Iterator[None]:
    """
    Make a namespace and its cable, whose end in this one has no address yet.
    """
    peer = ("type", "veth", "peer", "name", "far", "netns", net.name)
    inside = ("netns", "exec", net.name, "ip")
    with contextlib.ExitStack() as stack:
        run_ip("netns", "add", net.name)
        stack.callback(run_ip, "netns", "del", net.name)
        run_ip("link", "add", net.cable, *peer)
        # The system deletes a namespace some time later, and a cable at once.
        stack.callback(run_ip, "link", "del", net.cable)
        run_ip(*inside, "addr", "add", f"{net.there}/24", "dev", "far")
        for device in ("far", "lo"):
            run_ip(*inside, "link", "set", device, "up")
        yield


@contextlib.contextmanager
def bridge(count: int, mbit: int) -> Iterator[list[Network]]:
    """
    Make networks that reach each other and this host; only root may.

    Args:
        count: Their number, below 200.
        mbit: What each of their cables carries, in megabits a second.
    """
    own = os.getpid()
    start, name = f"10.{192 + own // 250 % 32}.{own % 250}", f"dkb{own % 10**7}"
    limit = ("root", "tbf", "rate", f"{mbit}mbit", "burst", "256kb", "latency", "50ms")
    with contextlib.ExitStack() as stack:
        run_ip("link", "add", name, "type", "bridge")
        stack.callback(run_ip, "link", "del", name)
        run_ip("addr", "add", f"{start}.1/24", "dev", name)
        run_ip("link", "set", name, "up")
        found = []
        for number in range(count):
            cable = f"dkb{own % 10**7}-{number}"
            net = Network(f"{cable}-net", f"{start}.1", f"{start}.{number + 2}", cable)
            stack.enter_context(_connected(net))
            run_ip("link", "set", cable, "master", name, "up")
            inside = ("netns", "exec", net.name)
            run_ip(*inside, "tc", "qdisc", "add", "dev", "far", *limit)
            # What goes to the other host is limited in the same way.
            command = ["tc", "qdisc", "add", "dev", cable, *limit]
            subprocess.run(command, check=True, capture_output=True, timeout=WAIT_S)
            found.append(net)
        yield found


@contextlib.contextmanager
def join(client: Client, net: Network) -> Iterator[None]:
    """
    Add a worker on another host to a cluster.

    Args:
        client: The client of the cluster.
        net: The network of the worker.
    """
    address = client.scheduler_info()["address"]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    command += ["--no-dashboard", "--nworkers", "1", "--host", net.there]
    with far_process(command, {}, net):
        yield


@contextlib.contextmanager
def far_process(
    command: list[str], environment: dict[str, str], net: Network | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run a command as on another host.

    Args:
        command: The command.
        environment: Variables of its environment.
        net: Its network; that of this host by default.
    """
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    words = ["unshare", *user, "--pid", "--mount-proc", "--fork", "--kill-child"]
    words += ["sh", "-c", OWN_FOLDERS, "sh", *command]
    if net is not None:
        words = ["ip", "netns", "exec", net.name, *words]
    folder = {"TMPDIR": tempfile.gettempdir()}
    with subprocess.Popen(
        words, env={**os.environ, **folder, **environment}, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Cluster(NamedTuple):
    """
    A cluster of Dask, all of whose workers are on another host.
    """

    client: Client
    scheduler: subprocess.Popen[bytes]
    workers: subprocess.Popen[bytes]


def tls_variables(security: Any) -> dict[str, str]:
    """
    Return the variables that make Dask use some certificates.
    """
    prefix = "DASK_DISTRIBUTED__COMM__"
    variables = {
        f"{prefix}DEFAULT_SCHEME": "tls",
        f"{prefix}REQUIRE_ENCRYPTION": "true",
    }
    # Dask takes what they contain as well as their names.
    variables[f"{prefix}TLS__CA_FILE"] = security.tls_ca_file
    for role in ("scheduler", "worker", "client"):
        for part in ("cert", "key"):
            name = f"{prefix}TLS__{role}__{part}".upper()
            variables[name] = getattr(security, f"tls_{role}_{part}")
    return variables


@contextlib.contextmanager
def cluster(
    folder: Path,
    security: Security | None = None,
    net: Network | None = None,
    workers: int = 1,
    scheme: str = "",
) -> Iterator[Cluster]:
    """
    Start a cluster whose workers have two threads each.

    Args:
        folder: An empty folder.
        security: Its certificates; plain TCP by default.
        net: The network of its workers; that of this host by default.
        workers: The number of its workers.
        scheme: Of its addresses; by default "tcp", or with certificates "tls".
    """
    variables = {} if security is None else tls_variables(security)
    variables["DASK_DISTRIBUTED__WORKER__MEMORY__TARGET"] = "false"
    host = "127.0.0.1" if net is None else net.here
    file = folder / "scheduler.json"
    scheme = scheme or ("tcp" if security is None else "tls")
    python = [sys.executable, "-m"]
    command = [*python, "distributed.cli.dask_scheduler", "--no-dashboard"]
    command += ["--protocol", scheme, "--host", host, "--port", "0"]
    command += ["--scheduler-file", str(file)]
    how: Any = {"env": {**os.environ, **variables}, "stderr": subprocess.DEVNULL}
    with contextlib.ExitStack() as stack:
        scheduler = stack.enter_context(subprocess.Popen(command, **how))
        stack.callback(scheduler.kill)
        assert wait_until(lambda: file.exists() and bool(file.read_text()), WAIT_S)
        address = json.loads(file.read_text())["address"]
        command = [*python, "distributed.cli.dask_worker", address, "--no-dashboard"]
        command += ["--nworkers", str(workers), "--nthreads", "2"]
        command += ["--protocol", scheme]
        if net is not None:
            command += ["--host", net.there]
        far = stack.enter_context(far_process(command, variables, net))
        client = stack.enter_context(Client(address, security=security))
        client.wait_for_workers(workers, timeout=WAIT_S)
        yield Cluster(client, scheduler, far)
