"""
Connections between a worker and the kernel that go through Dask's scheduler.

A worker and the kernel each connect to the scheduler, which joins both connections. At
either end they are joined with one end of a socket pair. So the other end is like a
connection to the kernel itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

from distributed.comm.core import connect
from distributed.utils import sync

from .dask_scheduler import ACCEPT_S, OPEN, DuckRelay

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KernelEnd", "open_tunnel"]

#: Bytes that are passed on at a time.
PIECE_BYTES = 256 << 10


class KernelEnd:
    """
    The kernel's connections to a scheduler.

    Args:
        client: The client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._kernel = ""
        self._take: Callable[[socket.socket], object]
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, kernel: str, take: Callable[[socket.socket], object]) -> None:
        """
        Let the scheduler pass on connections of workers, in place of earlier ones.

        If that fails, workers connect directly, or say that they cannot.

        Args:
            kernel: The name of the kernel.
            take: Serves a connected socket.
        """
        self.close()
        self._kernel, self._take = kernel, take
        with contextlib.suppress(OSError):
            self._client.register_plugin(DuckRelay())
            self._client.sync(self._open)

    async def _open(self) -> None:
        control = await self._connect()
        await control.write(
            {"op": "duck_kernel", "kernel": self._kernel, "reply": False}
        )
        self._start(self._hear(control))

    async def _connect(self) -> Any:
        client = self._client
        return await connect(client.scheduler.address, **client.connection_args)

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hear(self, control: Any) -> None:
        try:
            # The scheduler has ended, or was started again: the next task notices.
            with contextlib.suppress(OSError):
                while True:
                    self._start(self._accept(await control.read()))
        finally:
            control.abort()

    async def _accept(self, number: int) -> None:
        comm = None
        try:
            with contextlib.suppress(OSError):
                comm = await self._connect()
                await comm.write(
                    {"op": "duck_accept", "number": number, "reply": False}
                )
                ours, theirs = socket.socketpair()
                try:
                    self._take(theirs)
                except BaseException:
                    ours.close()
                    raise
                await couple(comm, ours)
        finally:
            if comm is not None:
                comm.abort()

    def close(self) -> None:
        """
        Close all connections, from any thread. Repeated calls do nothing.
        """
        # The loop of a client that is closed has ended, and its connections with it.
        with contextlib.suppress(RuntimeError):
            self._client.loop.add_callback(self._cancel)

    def _cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()


def open_tunnel(worker: Any, kernel: str) -> socket.socket:
    """
    Return a socket that leads to a kernel, in a worker of Dask.

    Args:
        worker: The worker.
        kernel: The name of the kernel.

    Raises:
        OSError: The scheduler or the kernel cannot be reached.
    """
    found: socket.socket = sync(worker.loop, _open, worker, kernel)
    return found


async def _open(worker: Any, kernel: str) -> socket.socket:
    comm = None
    try:
        how = worker.security.get_connection_args("worker")
        comm = await asyncio.wait_for(
            connect(worker.scheduler.address, **how), ACCEPT_S
        )
        await comm.write({"op": "duck_connect", "kernel": kernel, "reply": False})
        if await asyncio.wait_for(comm.read(), ACCEPT_S) != OPEN:
            raise ConnectionError("the scheduler does not know the kernel")
    except BaseException as error:
        if comm is not None:
            comm.abort()
        if isinstance(error, asyncio.TimeoutError):
            raise ConnectionError("the kernel did not accept a connection") from None
        raise
    ours, theirs = socket.socketpair()
    task = asyncio.ensure_future(couple(comm, ours))
    _tunnels.add(task)
    task.add_done_callback(_tunnels.discard)
    return theirs


#: The event loop itself keeps its tasks only weakly.
_tunnels: set[asyncio.Future[None]] = set()


async def couple(comm: Any, end: socket.socket) -> None:
    """
    Pass on what arrives at a connection of Dask and at a socket, until one ends.

    Args:
        comm: The connection; this closes it.
        end: The socket; this closes it.
    """
    try:
        reader, writer = await asyncio.open_connection(sock=end, limit=PIECE_BYTES)
    except BaseException:
        end.close()
        raise

    async def send() -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(PIECE_BYTES):
                await comm.write(data)

    async def receive() -> None:
        with contextlib.suppress(OSError):
            while True:
                writer.write(await comm.read())
                await writer.drain()

    tasks = [asyncio.ensure_future(send()), asyncio.ensure_future(receive())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        comm.abort()
        for task in tasks:
            task.cancel()
        writer.transport.abort()
