"""
ProxyServer: objects of this process, for workers on the same machine.

::

    worker process                     this process
    ┌───────────────────────┐          ┌──────────────────────────────────────────┐
    │ thread ── Channel ────┼── lane ──┼─ Caller ─┐                               │
    │ thread ── Channel ────┼── lane ──┼─ Caller ─┼─ Watch ── Dispatcher ── table │
    └───────────────────────┘ + socket │          │  (threads)    │       objects │
                                       │          └─ counters   Desk: the server  │
                                       └──────────────────────────────────────────┘

A lane is made when a client thread first calls, and goes with its process; so the number
of descriptors follows the number of client threads, not that of objects.
"""

from __future__ import annotations

import atexit
import os
import secrets
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from ..client.proxy import Proxy, rooted_proxy
from ..client.registry import end_here, link_here
from ..errors import (
    DataDecodeError,
    DataTooBigError,
    HandshakeError,
    NotShareable,
    ProxyClosed,
    ProxyError,
)
from ..memory.blocks import create_named, unlink_named
from ..protocol.frames import SIZE_PREFIX_BYTES, Frame, parse_from, write_into
from ..protocol.opcodes import ProxyOpCode
from ..transport.lanes import POSTED_AT, REPLIED, SEQUENCE, STATE, TAKEN, WAITING
from ..transport.rendezvous import Doorway
from .callers import Caller
from .counters import (
    BYTES_IN,
    BYTES_OUT,
    EXECUTES,
    GETS,
    LAST_BYTES,
    PEAK_BYTES,
    SAMPLE_EVERY,
    SETS,
    ErrorLog,
    bucket_of,
)
from .desk import Desk
from .dispatch import Dispatcher
from .here import Here
from .locks import ObjectLocks
from .loops import end_loop
from .objects import ObjectTable
from .policy import DEFAULT_MAX_CHAIN, Policy
from .watch import Watch
from .workers import WorkerLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from multiprocessing.shared_memory import SharedMemory
    from types import TracebackType

    from typing_extensions import Self

    from ..client.link import Link
    from ..protocol.refs import ObjectRef
    from .objects import Entry

__all__ = ["DEFAULT_BUFSIZE", "DEFAULT_MAX_MESSAGE", "ProxyServer"]

DEFAULT_BUFSIZE = 200
DEFAULT_MAX_MESSAGE = 2**31
#: The longest of the server's own control words takes this many bytes, sizes included.
LEAST_BUFSIZE = 64
MOST_BUFSIZE = 2**30
MOST_CHAIN = 1000
SECRET_BYTES = 16
CLOSE_S = 2.0
SAMPLED = 7  # in a bit mask: one call in eight
RESPONSE_PENDING = int(ProxyOpCode.RESPONSE_PENDING)
OPCODES = frozenset({GETS, SETS, EXECUTES})

_servers: weakref.WeakSet[ProxyServer] = weakref.WeakSet()


class ProxyServer:
    """
    Serves objects of this process to workers of the same user on the same machine.

    Whoever makes it closes it; it is a context manager, which also runs it.

    Args:
        bufsize: Bytes of one client thread's buffer. A larger frame travels in a
            block of its own, which is slower and does no harm.
        max_chain: The highest level of a proxy; a shared object is of level 0.
        max_message: The largest message in bytes, wherever it travels.

    Raises:
        NotShareable: A setting cannot be.
    """

    _DATA_SIZE_PREFIX_LEN = SIZE_PREFIX_BYTES

    def __init__(
        self,
        bufsize: int = DEFAULT_BUFSIZE,
        *,
        max_chain: int = DEFAULT_MAX_CHAIN,
        max_message: int = DEFAULT_MAX_MESSAGE,
    ) -> None:
        check_bufsize(bufsize)
        check_max_chain(max_chain)
        self.bufsize = bufsize
        self.max_chain = max_chain
        self.max_message = max(max_message, bufsize)
        self.table = ObjectTable()
        self._entries = self.table.entries
        self.errors = ErrorLog()
        self.locks = ObjectLocks()
        self.workers = WorkerLog()
        self.since = time.time()
        self.desk = Desk(self.table, self.locks, self._own_block_name)
        self._dispatcher = Dispatcher(self.table, self.errors, self.desk)
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._lock = threading.Lock()
        self._block: SharedMemory | None = None
        self._doorway: Doorway | None = None
        self._watch: Watch | None = None
        self._callers: set[Caller] = set()
        self._decoders: dict[Caller, Any] = {}
        self._link: Link | None = None
        self._closed = False
        self._pid = os.getpid()
        _servers.add(self)

    # -- life ------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """
        Workers can reach the server.
        """
        return self._watch is not None and not self._closed

    @property
    def link(self) -> Link:
        """
        This process's link to the server.

        Raises:
            ProxyClosed: It does not run yet, or not any more.
        """
        if self._link is None or self._closed:
            raise ProxyClosed(
                "The server was closed."
                if self._closed
                else "The server does not run yet: call run() before create_proxy()."
            )
        return self._link

    def run(self, threaded: bool = True) -> None:
        """
        Start serving; a server that runs already goes on.

        Args:
            threaded: Serve in threads of its own and return at once. Otherwise the
                calling thread serves, until `close` is called in another one.

        Raises:
            ProxyClosed: The server was closed.
        """
        with self._lock:
            if self._closed:
                raise ProxyClosed("The server was closed; make a new one.")
            started = self._watch is None
            if started:
                self._start()
            watch = self._watch
        assert watch is not None
        if threaded:
            if started:
                watch.start()
            return
        try:
            watch.run()
        finally:
            self.close()

    def _start(self) -> None:
        self._doorway = Doorway(self._secret, self.bufsize, self.max_message)
        self._watch = Watch(
            self._doorway.socket, self._admit, self._serve, self._lose, self.table.sweep
        )
        here = Here(self)
        self._link = link_here(self._doorway.address, self._secret, here)
        atexit.register(self.close)

    def close(self) -> None:
        """
        Stop serving; workers that wait get `KernelGone`. Twice is fine.

        A call that is inside an object's method goes on, without an answer.
        """
        with self._lock:
            if self._closed or self._pid != os.getpid():
                return
            self._closed = True
        atexit.unregister(self.close)
        if self._link is not None:
            end_here(self._link)
        if self._watch is not None:
            self._watch.close()
        if self._doorway is not None:
            self._doorway.close()
        with self._lock:
            callers, self._callers = self._callers, set()
        for caller in callers:
            caller.gone = True
            caller.lane.close()
            self.locks.release_all(caller)
            caller.end()
        if self._watch is not None and not threading.current_thread().name.startswith(
            "duck-"
        ):
            self._watch.ended.wait(CLOSE_S)
        if self._block is not None:
            unlink_named(self._block)
        self._decoders.clear()
        if not any(server.running for server in _servers):
            end_loop()

    def __enter__(self) -> Self:
        self.run()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # A half-made server has nothing to close.
        if getattr(self, "_watch", None) is not None:
            self.close()

    def after_fork(self) -> None:
        """
        In a child, give up what belongs to the parent.
        """
        self._lock = threading.Lock()
        self._closed = True
        if self._watch is not None:
            self._watch.after_fork()
        if self._doorway is not None:
            self._doorway.close(here=False)
        for caller in list(self._callers):
            caller.lane.close()

    # -- objects ---------------------------------------------------------------------

    def create_proxy(
        self,
        target_object: Any,
        shared_memory: SharedMemory | None = None,
        *,
        name: str | None = None,
        bufsize: int | None = None,
        max_chain: int | None = None,
        readonly: bool = False,
        allow: Iterable[str] | None = None,
    ) -> Proxy:
        """
        Share an object; nothing of it is copied.

        Args:
            target_object: Any object. The same one with the same settings gives an
                equal proxy.
            shared_memory: A block for frames that are written by hand; the server's
                own by default.
            name: What messages and the monitor call it.
            bufsize: Bytes; a frame above this size counts as too large for the
                buffer. The server's by default.
            max_chain: The highest level of a proxy reached through this one.
            readonly: Refuse to set, to delete and to change in place, here and in
                what is reached through it.
            allow: The only names that may be used.

        Raises:
            ProxyClosed: The server does not run.
            NotShareable: A setting cannot be.
        """
        link = self.link
        check_bufsize(self.bufsize if bufsize is None else bufsize)
        check_max_chain(self.max_chain if max_chain is None else max_chain)
        policy = Policy(
            name or type(target_object).__name__,
            self.bufsize if bufsize is None else bufsize,
            self.max_chain if max_chain is None else max_chain,
            readonly,
            None if allow is None else frozenset(allow),
        )
        entry = self.table.add(target_object, policy)
        block_name = None if shared_memory is None else shared_memory.name
        return rooted_proxy(link, self.table.reference(entry), block_name)

    def reference_to(self, idx: int, target_obj: Any) -> ObjectRef:
        """
        Give the reference of an object that is in the table.

        Raises:
            ProxyObjectNotFound: It is not there under this number.
        """
        entry = self.table.get(idx)
        if entry.target is not target_obj:
            raise NotShareable(f"Number {idx} is another object than the one given.")
        return self.table.reference(entry)

    def remove_proxy(self, proxy: Proxy) -> None:
        """
        Share an object no longer; its proxies then find nothing.
        """
        self.table.remove(proxy._duck_idx)

    def retarget(self, proxy: Proxy, target_object: Any) -> Proxy:
        """
        Let a shared name stand for another object, for all its proxies.

        Returns:
            A proxy that knows the special methods of the new object.
        """
        entry = self.table.aim(proxy._duck_idx, target_object)
        return rooted_proxy(self.link, self.table.reference(entry), None)

    def wake(self) -> None:
        """
        Let a thread of the server tidy up. Safe in ``__del__``.
        """
        if self._watch is not None:
            self._watch.wake()

    # -- frames by hand --------------------------------------------------------------

    def read_frame(
        self, shared_memory: SharedMemory, timeout: float | None = 0.5
    ) -> Frame:
        """
        Read the frame that lies in a block; see `protocol.frames.parse_from`.
        """
        return parse_from(shared_memory.buf, timeout)

    def write_frame(self, shared_memory: SharedMemory, frame: Frame) -> int:
        """
        Write a frame into a block; see `protocol.frames.write_into`.
        """
        return write_into(shared_memory.buf, frame)

    def handle_frame(self, shared_memory: SharedMemory, frame: Frame) -> None:
        """
        Answer a frame in the block that it came in.

        A frame that is an answer itself is left alone.

        Raises:
            DataDecodeError: Its opcode is none.
        """
        if frame.opcode in (ProxyOpCode.EXECUTION_RESULT, RESPONSE_PENDING):
            return
        if frame.opcode not in tuple(ProxyOpCode):
            raise DataDecodeError(f"There is no opcode {frame.opcode!r}.")
        self.handle_request_frame(shared_memory, frame)

    def handle_request_frame(self, shared_memory: SharedMemory, frame: Frame) -> None:
        """
        Do what a GET, SET or EXECUTE frame says, and write the answer into the block.

        While it is being done the block holds a RESPONSE_PENDING frame.

        Raises:
            DataTooBigError: The answer does not fit; the block holds that as a fault.
        """
        self.write_frame(shared_memory, Frame(RESPONSE_PENDING, []))
        caller = self._by_hand()
        entry = self._entries.get(frame.payload[0]) if frame.payload else None
        data, _ = self._dispatcher.answer(frame.opcode, frame.payload, entry, caller)
        room = len(shared_memory.buf) - SIZE_PREFIX_BYTES
        if len(data) > room:
            error = DataTooBigError(
                f"The answer takes {len(data)} bytes and the block has room for {room}."
            )
            data, _ = self._dispatcher.fault(error, frame.payload, caller)
            if len(data) > room:
                raise error
        shared_memory.buf[SIZE_PREFIX_BYTES : SIZE_PREFIX_BYTES + len(data)] = data
        shared_memory.buf[:SIZE_PREFIX_BYTES] = len(data).to_bytes(4, "big")

    def _by_hand(self) -> Any:
        assert self.link.server is not None
        return self.link.server.caller  # type: ignore[attr-defined]

    def _own_block_name(self) -> str:
        with self._lock:
            if self._block is None:
                self._block = create_named(self.bufsize + SIZE_PREFIX_BYTES)
            return self._block.name

    # -- callers ---------------------------------------------------------------------

    def _admit(self) -> None:
        assert self._doorway is not None
        while (stranger := self._doorway.accept()) is not None:
            threading.Thread(
                target=self._shake_hands,
                args=(stranger,),
                name="duck-handshake",
                daemon=True,
            ).start()

    def _shake_hands(self, stranger: Any) -> None:
        assert self._doorway is not None
        assert self._watch is not None
        try:
            lane, hello = self._doorway.admit(stranger)
        except HandshakeError as error:
            self.errors.note(error, str(error), "", 0, "the server", "connect", (0, ""))
            return
        except (OSError, EOFError, ValueError, ProxyError):
            return  # it went away, or spoke no language of ours
        caller = Caller(lane, hello)
        with self._lock:
            if self._closed:
                lane.close()
                return
            self._callers.add(caller)
            self._decoders[caller] = self._dispatcher.decoder(caller)
            self.workers.came(caller)
            self._watch.add(caller)

    def _lose(self, caller: Caller) -> None:
        """
        Clean up behind a client thread that has gone.
        """
        with self._lock:
            if caller not in self._callers:
                return
            self._callers.discard(caller)
            self._decoders.pop(caller, None)
            caller.gone = True
            client = caller.hello.client
            last = not any(c.hello.client == client for c in self._callers)
        self.locks.release_all(caller)
        caller.end()
        caller.lane.close()
        self.workers.went(caller, last=last)
        if last:
            self.table.drop_holder(client)

    def _serve(self, caller: Caller) -> None:
        """
        Answer the request that is posted in a lane, whose claim is taken.
        """
        words = caller.words
        words[STATE] = (words[STATE] & SEQUENCE) | TAKEN
        payload: Any = None
        try:
            data, buffers = caller.lane.take()
            size = len(data)
            if buffers:
                caller.buffers = buffers
                size += sum(map(len, buffers))
            opcode, payload = self._decoders[caller](data)
            entry = self._entries.get(payload[0])
            caller.payload = payload
        except BaseException as error:  # noqa: B036 - everything goes to who asked
            fault = self._dispatcher.fault(unreadable(error), payload, caller)
            self._reply(caller, *fault)
            self._hand_back(caller)
            return
        if caller.contexts or (
            entry is not None and (entry.pinned or payload[1] == "__enter__")
        ):
            caller.run_in_own_thread(
                lambda: self._finish(caller, opcode, payload, entry, size)
            )
        else:
            self._finish(caller, opcode, payload, entry, size)

    def _finish(
        self,
        caller: Caller,
        opcode: int,
        payload: Any,
        entry: Entry | None,
        size_in: int,
    ) -> None:
        """
        Answer a request that was read, and count it afterwards.
        """
        started = 0.0 if caller.ticks & SAMPLED else time.monotonic()
        data, buffers = self._dispatcher.answer(opcode, payload, entry, caller)
        size_out = self._reply(caller, data, buffers)
        latency = self._hand_back(caller)
        # From here on the answer is on its way, and nobody waits for this thread.
        caller.ticks += 1
        idx = 0 if entry is None else entry.idx
        try:
            counts = caller.tallies[idx]
        except KeyError:
            counts = caller.new_tally(idx, self._entries)
        if opcode in OPCODES:
            counts[opcode] += 1
        counts[BYTES_IN] += size_in
        counts[BYTES_OUT] += size_out
        size = size_out if size_out > size_in else size_in
        counts[LAST_BYTES] = size
        if size > counts[PEAK_BYTES]:
            counts[PEAK_BYTES] = size
        if latency:
            counts[bucket_of(latency)] += 1
            caller.waited += latency
        elif started:
            latency = time.monotonic() - started
            counts[bucket_of(latency)] += SAMPLE_EVERY
            caller.waited += latency * SAMPLE_EVERY

    def _reply(self, caller: Caller, data: bytes, buffers: Sequence[Any]) -> int:
        """
        Lay an answer down.

        Returns:
            Its size in bytes.
        """
        size = len(data)
        if buffers:
            size += sum(buffer.raw().nbytes for buffer in buffers)
        lane = caller.lane
        try:
            try:
                lane.put(data, buffers)
            except DataTooBigError as error:
                data, _ = self._dispatcher.fault(error, caller.payload, caller)
                lane.put(data)
        except (OSError, ValueError):
            return size  # the lane is closed: nobody waits
        words = caller.words
        words[STATE] = (words[STATE] & SEQUENCE) | REPLIED
        return size

    def _hand_back(self, caller: Caller) -> float:
        """
        Let the next request in, and wake the client where it blocks.

        Returns:
            How long it has blocked, in seconds; 0 where it did not.
        """
        # A lock that changes hands is a fence: the answer before the question.
        caller.claim.release()
        if not caller.words[WAITING]:
            return 0.0
        posted_at = caller.lane.doubles[POSTED_AT]
        caller.lane.ring()
        return time.monotonic() - posted_at if posted_at else 0.0


def unreadable(error: BaseException) -> BaseException:
    """
    Make an error of the protocol of what decoding raised.
    """
    if isinstance(error, ProxyError):
        return error
    return DataDecodeError(
        f"A request could not be read: {type(error).__name__}: {error}. A request is "
        "GET [idx, attr], SET [idx, attr, value] or EXECUTE [idx, method, args, kwargs]."
    )


def check_bufsize(bufsize: Any) -> None:
    """
    Refuse a size that no buffer can have.

    Raises:
        NotShareable: It is no whole number, or out of bounds.
    """
    if type(bufsize) is not int or not LEAST_BUFSIZE <= bufsize <= MOST_BUFSIZE:
        raise NotShareable(
            f"A bufsize of {bufsize!r} cannot be: it is a whole number of bytes from "
            f"{LEAST_BUFSIZE}, which the server's own control words need, to "
            f"{MOST_BUFSIZE:,}."
        )


def check_max_chain(max_chain: Any) -> None:
    """
    Refuse a level that no proxy can have.

    Raises:
        NotShareable: It is no whole number, or negative.
    """
    if type(max_chain) is not int or not 0 <= max_chain <= MOST_CHAIN:
        raise NotShareable(
            f"A max_chain of {max_chain!r} cannot be: it is a whole number from 0, which "
            f"allows no chained proxies, to {MOST_CHAIN}."
        )


def _after_fork_in_child() -> None:
    for server in list(_servers):
        server.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
