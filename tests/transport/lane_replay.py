"""
The real code, one step at a time: a trace of `lane_search` says who goes next.

Threads run `Link`, `Channel`, `Loop`, `Poller` and `Serving` as they are. Words, locks,
bells and clocks are replaced by those of `lane_paced`. The words are compared with the
model's after each step.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import queue
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from duck_jupyter.client.channel import Channel
from duck_jupyter.client.link import Link
from duck_jupyter.client.proxy import make_proxy
from duck_jupyter.errors import DataTooBigError, KernelGone
from duck_jupyter.memory.blocks import Block
from duck_jupyter.objects.claims import Claim
from duck_jupyter.proxy import ProxyServer
from duck_jupyter.server.spin import Watched
from duck_jupyter.transport.handshake import Hello
from duck_jupyter.transport.lanes import GRANT, LENGTH, TAIL_BYTES, Lane, lane_bytes

from .lane_paced import (
    WORDS,
    Actor,
    Grants,
    PacedConnection,
    PacedLane,
    PacedLock,
    Poll,
    Words,
    stop,
)
from .lane_state import CLIENT, GiveUp, Op, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .lane_search import Search

__all__ = ["Player"]

BUFSIZE = 512
MAX_MESSAGE = 4096


class Work(queue.Queue[int]):
    """
    The object that is shared. Its queue has the items that were taken back.
    """

    def plain(self, n: int, _: bytes = b"") -> int:
        stop("call", "plain", -1, n)
        return n

    def waits(self, n: int) -> int:
        stop("call", "waits", -1, n)
        return n

    def get(self, n: int) -> int:  # type: ignore[override]
        stop("call", "item", -1, n)
        return n


class PlayerLink(Link):
    player: Player

    def hold(self) -> None:
        """
        Do nothing: a lane more would take no part in any trace.
        """

    def _connect(
        self,
        thread: int | None = None,
        *,
        within_s: float | None = None,
        bufsize: int = 0,
    ) -> Channel:
        number: int = stop("connect")
        return self.player.channels[number]


class Player:
    """
    A client thread and a server, which play traces of a search once.

    Args:
        search: Where the traces come from.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        rules = search.rules
        self.nested = len(rules.plan)
        self.kinds = (*rules.plan, rules.nested)
        self.state = search.start
        self.got: list[int] = []
        self.queues: tuple[list[Any], list[Any]] = ([], [])
        self.server = server = ProxyServer(BUFSIZE)
        self.serving = server._start()
        self.loop = self.serving.loop
        self.work = Work()
        self.idx = server.create_proxy(self.work)._duck_ref.idx
        self._pace_server()
        self.link = PlayerLink(server.link.address, b"", make_proxy)
        self.link.player = self
        self.channels: list[Channel] = []
        self.connections: list[PacedConnection] = []
        self.words: list[Any] = []
        for number in range(search.lanes):
            self._make_lane(number)
        runs: list[Callable[[], None]] = [self._client]
        runs += [partial(self._serve, me) for me in range(1, rules.threads + 1)]
        if "lock" in rules.plan:
            entry = server.table.get(self.idx)
            claim = Claim(entry, self, "", _do_nothing, _do_nothing)
            server.locks.acquire(claim)
            runs.append(partial(self._hold, claim))
        server.locks._lock = PacedLock("locks")  # type: ignore[assignment]
        nested = partial(self.ask, self.nested)
        self.actors = [Actor(nested, i, run) for i, run in enumerate(runs)]
        for actor in self.actors:
            actor.start()
            actor.wait()

    def _pace_server(self) -> None:
        loop = self.loop
        loop._post = PacedLock("post")  # type: ignore[assignment]
        loop.poller.watched._lock = PacedLock("watched_lock")  # type: ignore[assignment]
        self.bells = loop._bells
        loop._bells = self  # type: ignore[assignment]

    def _make_lane(self, number: int) -> None:
        size = lane_bytes(BUFSIZE)
        block = Block.create_growing(size)
        ends = socket.socketpair()
        fd = block.descriptor.fileno()
        self.words.append(
            memoryview(mmap.mmap(fd, size))[size - TAIL_BYTES :].cast("I")
        )
        blocks = Block(os.dup(fd), block.size), block
        lanes = []
        for side, name in enumerate(("client", "server")):
            ends[side].setblocking(False)
            lane = PacedLane(blocks[side], BUFSIZE, ends[side], MAX_MESSAGE)
            lane.number, lane.side = number, name
            lane.words = Words(lane.words, number, self.queues[side])  # type: ignore[assignment]
            lanes.append(lane)
        hello = Hello(1, "client", 1, os.getpid(), "client", "thread", 1)
        thread = self.server.clients.came(hello)
        connection = PacedConnection(
            lanes[1], hello, thread, self.server.table.entries, 0.0
        )
        connection.number = number
        connection.grants = Grants()
        connection.grants.lane = number
        connection.claim = PacedLock("claim", number)  # type: ignore[assignment]
        connection.next_claim = PacedLock("next_claim", number)  # type: ignore[assignment]
        connection.decode = self.serving._dispatcher.decoder(connection)
        self.serving.connections.add(connection)
        self.bells.add(lanes[1].doorbell, connection)
        self.connections.append(connection)
        channel = Channel(lanes[0], "the server")
        channel._looks = 1
        channel._poll = Poll(channel._poll, number)  # type: ignore[assignment]
        self.channels.append(channel)

    # -- the bells of the server -----------------------------------------------------

    def wait(self, timeout: float | None) -> list[tuple[Any, bool]]:
        actor = threading.current_thread()
        assert isinstance(actor, Actor)
        expected = stop("bells")
        actor.timed_out = not expected
        rang = self.bells.wait(0)
        assert tuple((owner.number, must) for owner, must in rang) == expected
        return rang

    def remove(self, bell: socket.socket) -> None:
        self.bells.remove(bell)

    def close(self) -> None:
        self.bells.close()

    # -- what the threads run --------------------------------------------------------

    def _client(self) -> None:
        # Else the end of this thread would close the lanes.
        self.idle = self.link.thread.idle
        with contextlib.suppress(KernelGone):
            for n in range(self.nested):
                with contextlib.suppress(GiveUp):
                    self.ask(n)

    def ask(self, n: int) -> None:
        kind = self.kinds[n]
        if kind == "lock":
            self.link.lock(self.idx, n + 1, None)
        elif kind == "large":
            with contextlib.suppress(DataTooBigError):
                self.link.execute(self.idx, "plain", (n, bytes(2 * MAX_MESSAGE)))
            return
        else:
            method = "get" if kind == "item" else kind
            assert self.link.execute(self.idx, method, (n,)) == n
        self.got.append(n)

    def _serve(self, me: int) -> None:
        loop = self.loop
        while True:
            with loop._post:
                called, _ = loop._wait_for_bells()
            loop.poller.poll(me, called)
            del called

    def _hold(self, claim: Claim) -> None:
        self.server.locks.end(claim)

    # -- the trace -------------------------------------------------------------------

    def play(self, trace: Sequence[Step]) -> None:
        """
        Do the steps, and compare what they come to with the model.
        """
        for step in trace:
            self._do(step)
            self.state = self.search.after(self.state, step)
            for actor in self.actors:
                if actor.error is not None:
                    raise actor.error
            self._compare(step)
        undone = self.state.get("undone")
        assert [n for n in undone if self.kinds[n] == "item"] == list(self.work.queue)[
            ::-1
        ]

    def _do(self, step: Step) -> None:
        program, what, op, _ = step
        if what == "flush":
            lane, word, value = self.queues[program].pop(0)
            self.words[lane][word] = value
        elif what == "end":
            if program:
                for connection in self.connections:
                    connection.lane.doorbell.close()
            else:
                for channel in self.channels[: self.state.get("lanes")]:
                    Lane.close(channel.lane)
        elif what != "die":
            actor = self.actors[program]
            assert actor.op is not None
            assert same(actor.op, op), f"{actor.op} is no {op}"
            actor.go(step)
            queues = program == CLIENT or self.search.rules.queues
            if what == "do" and op.kind == "store" and not queues:
                lane, word, value = self.queues[1].pop(0)
                self.words[lane][word] = value

    def _compare(self, step: Step) -> None:
        for lane, words in enumerate(self.words):
            for i, name in enumerate(WORDS):
                expected = self.state.get(name, lane)
                if i == LENGTH:
                    assert bool(words[i] & GRANT) is expected[2], step
                else:
                    assert words[i] == expected, (step, lane, name)

    def end(self) -> None:
        """
        End the threads, wherever they are, and give everything back.
        """
        for actor in self.actors:
            actor.end()
        del self.idle[:]
        for channel, connection in zip(self.channels, self.connections, strict=True):
            Lane.close(channel.lane)
            connection.lane.close()
        self.serving.connections.clear()
        self.loop._bells = self.bells
        self.loop._post = threading.Lock()
        self.loop.poller.watched = Watched()
        self.server.locks._lock = threading.Lock()
        self.loop.closed = True
        self.loop._pass_the_end_on()
        self.server.close()


def _do_nothing() -> None:
    """
    The holder of the lock never waits for it.
    """


def same(real: Op, model: Op) -> bool:
    """
    Say whether two operations are the same, as far as the real one tells.
    """
    kind = "store" if model.kind == "acknowledge" else model.kind
    if (real.kind, real.name) != (kind, model.name):
        return False
    if real.lane not in (-1, model.lane):
        return False
    if kind == "store" and model.name == "LENGTH":
        return bool(real.value & GRANT) is model.value[2]
    return real.value is None or real.value == model.value
