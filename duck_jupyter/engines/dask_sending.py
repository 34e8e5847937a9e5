"""
Calls of functions in Dask's workers: direct if possible, else through the scheduler.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from distributed.protocol.pickle import dumps
from distributed.protocol.serialize import to_serialize

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Sender"]

#: Seconds in which a worker answers a connection of the client, if it can be reached.
REACH_S = 2.0
#: Bytes a second of the slowest network.
SLOWEST = 1 << 20
#: Seconds in which the client's event loop begins a call.
LOOP_S = 5.0
#: How often a message is sent through the scheduler until it arrives.
TRIES = 2


class Sender:
    """
    Calls functions in workers, in threads other than the client's event loop.

    Both ways use the security of the cluster.

    Args:
        client: The client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        #: Whether the client reaches a worker, by address.
        self._reached: dict[str, bool] = {}

    def answer(
        self, worker: str, function: Callable[..., Any], ticket: str, data: bytes
    ) -> None:
        """
        Call a function in one worker; its result and its errors are dropped.

        Args:
            worker: The address of the worker.
            function: The function.
            ticket: Its first argument.
            data: Its second argument.
        """
        # Dask itself tries to reach a worker that has ended for half a minute.
        within_s = REACH_S + len(data) / SLOWEST
        args = ticket, data
        if self._reached.get(worker, True):
            # A firewall, or the worker has ended; Dask has many errors for these.
            with contextlib.suppress(Exception):
                # The event loop may stop at any moment, and then it answers nobody.
                self._client.sync(
                    self._call,
                    worker,
                    function,
                    args,
                    within_s,
                    callback_timeout=REACH_S + within_s + LOOP_S,
                )
                self._reached[worker] = True
                return
            self._reached[worker] = False
        self._by_scheduler(function, args, [worker], within_s)

    def call_all(self, function: Callable[..., Any], *args: Any) -> None:
        """
        Call a function in all workers; its results and its errors are dropped.
        """
        self._by_scheduler(function, args, None, REACH_S)

    def _by_scheduler(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        workers: list[str] | None,
        within_s: float,
    ) -> None:
        for _ in range(TRIES):
            # Dask has many errors for a worker that ended, and some that pass. The
            # scheduler reports a worker that left, and nobody waits for one that ended.
            with contextlib.suppress(Exception):
                self._client.sync(
                    self._run,
                    function,
                    args,
                    workers,
                    within_s,
                    callback_timeout=within_s + LOOP_S,
                )
                return

    async def _run(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        workers: list[str] | None,
        within_s: float,
    ) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            called = self._client.run(function, *args, workers=workers)
            await asyncio.wait_for(called, within_s)

    async def _call(
        self,
        worker: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        within_s: float,
    ) -> None:
        remote = self._client.rpc(worker)
        if worker not in self._reached:
            await asyncio.wait_for(remote.identity(), REACH_S)
        called = remote.run(
            function=dumps(function),
            # Not as bytes, which would be copied into the message and out of it.
            args=to_serialize(memoryview(dumps(args))),
            kwargs=dumps({}),
        )
        answer = await asyncio.wait_for(called, within_s)
        if answer["status"] != "OK":
            raise RuntimeError(f"The worker {worker} refused a call.")
