"""
Serving: from a request in a lane to the answer in it, and who is connected.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ..errors import DataTooBigError, HandshakeError, ProxyError
from ..protocol.faults import short_fault
from ..protocol.opcodes import ProxyOpCode
from ..protocol.refs import DESK
from ..transport.lanes import (
    FIRST_OF_SEQUENCE,
    LENGTH,
    NEEDS_FENCE,
    OFFERED,
    REPLIED,
    SEQUENCE,
    STATE,
    TAKEN,
    WAITING,
    pack_size,
)
from ..transport.rendezvous import close_inherited
from .callers import Caller, left_by
from .counters import (
    BYTES_IN,
    BYTES_OUT,
    LAST_BYTES,
    PEAK_BYTES,
    SAMPLE_EVERY,
    ErrorLog,
    bucket_of,
)
from .dispatch import LOCKED, NOT_YET
from .shapes import unreadable
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..transport.rendezvous import Doorway
    from ..transport.strangers import Stranger
    from .clients import Clients
    from .dispatch import Dispatcher
    from .locks import ObjectLocks
    from .objects import Entry, ObjectTable
    from .workers import WorkerLog

__all__ = ["Serving"]

CLOSE_S = 2.0
EXECUTE = int(ProxyOpCode.EXECUTE)
#: What a handshake ends with where the other side left, or speaks another language.
LEFT = (OSError, EOFError, ValueError, ProxyError)
#: The bits of a lane's state that are 0 in one call of so many: its number's lowest.
SAMPLED = (SAMPLE_EVERY - 1) * FIRST_OF_SEQUENCE
#: The answer where there is no memory for any other; it fits the smallest buffer.
NO_ROOM = short_fault("DataTooBigError: no memory left")


class Serving:
    """
    The running part of a server.

    Args:
        doorway: Where callers come in.
        dispatcher: What answers them.
        table: The objects that they hold.
        locks: The locks that they hold.
        clients: Who is connected.
        errors: Where refused callers are noted.
        workers: Where callers are noted.
    """

    def __init__(
        self,
        doorway: Doorway,
        dispatcher: Dispatcher,
        table: ObjectTable,
        locks: ObjectLocks,
        clients: Clients,
        errors: ErrorLog,
        workers: WorkerLog,
    ) -> None:
        self.doorway = doorway
        self._dispatcher = dispatcher
        self._table = table
        self._entries = table.entries
        self._locks = locks
        self._clients = clients
        self._errors = errors
        self._workers = workers
        self._lock = threading.Lock()
        self._is_closed = False
        self.callers: set[Caller] = set()
        self.watch = Watch(
            doorway.socket,
            self._admit,
            self._shake_hands,
            self._serve,
            self._lose,
            self._tidy,
            self.doorway.prepare_block,
            locks.waiting,
        )

    def close(self) -> None:
        """
        Let every caller know that the server ends, and end its threads.
        """
        with self._lock:
            self._is_closed = True
            callers, self.callers = self.callers, set()
        self.watch.close()
        self.doorway.close()
        for caller in callers:
            self._disconnect(caller)
            self._table.count(caller.tally.take())
        if not threading.current_thread().name.startswith("duck-"):
            self.watch.ended.wait(CLOSE_S)

    def after_fork(self) -> None:
        """
        In a child, close what it inherited.
        """
        self.watch.after_fork()
        self.doorway.close(here=False)
        for caller in list(self.callers):
            caller.lane.close()
        close_inherited(self.doorway.address)

    def _admit(self) -> bool:
        with self.doorway.lock:
            stranger = self.doorway.accept()
            if stranger is not None:
                self.watch.door.expect(stranger)
            return stranger is not None

    def _shake_hands(self, stranger: Stranger) -> Caller | None:
        """
        Go on with a handshake.

        Returns:
            The caller that the stranger has become; None where more is to come, and
            where it was turned away.
        """
        with self.doorway.lock:
            try:
                if not self.doorway.greet(stranger):
                    return None
            except BaseException as error:
                self.watch.door.forget(stranger)
                self.doorway.dismiss(stranger)
                if isinstance(error, HandshakeError):
                    about = (error, str(error), "", 0, "the server", "connect", (0, ""))
                    self._errors.note(*about)
                elif not isinstance(error, LEFT):
                    raise
                return None
        lane, stranger.lane = stranger.lane, None
        assert lane is not None  # there is no proof before a welcome
        hello = stranger.hello
        with self._lock:
            if self._is_closed:
                lane.close()
                return None
            thread = self._clients.came(hello)
            caller = Caller(lane, hello, thread, self._entries, stranger.since)
            self.callers.add(caller)
            caller.decode = self._dispatcher.decoder(caller)
            self._workers.came(caller)
            self.watch.add(caller)
        for left in left_by(thread, self.callers):
            self.watch.remove(left)
            self._lose(left)
        if hello.bufsize:
            lane.ring()  # its client gives up another lane now
        return caller

    def _tidy(self) -> None:
        """
        Do what threads of this process left to a thread of the server.
        """
        self._table.sweep()
        self._locks.end_given_up()

    def _lose(self, caller: Caller) -> None:
        """
        Clean up behind a lane whose client has disconnected.
        """
        with self._lock:
            if caller not in self.callers:
                return
            self.callers.discard(caller)
        last = self._disconnect(caller)
        self._table.count(self._workers.count(caller))
        self._workers.went(caller, last=last)
        if last:
            self._table.drop_holder(caller.hello.client)

    def _disconnect(self, caller: Caller) -> bool:
        """
        End a lane, and take back what went through it and did not arrive.

        Returns:
            True when it was the last one of its process.
        """
        caller.gone = True
        caller.lane.hang_up()
        caller.end()
        return self._clients.went(caller.hello, is_leaving=caller.is_leaving)

    def _serve(self, caller: Caller) -> None:
        """
        Answer the request that is posted in a lane, whose claim is taken.
        """
        words = caller.words
        if caller.grants:
            caller.acknowledge()  # who asks again has the last answer
        words[STATE] = (words[STATE] & SEQUENCE) | TAKEN
        payload: Any = None
        try:
            size = words[LENGTH]
            if size <= caller.bufsize:
                data = caller.map[4 : size + 4]
            else:
                data, buffers = caller.lane.take()
                caller.buffers = buffers
                size = len(data) + sum(map(len, buffers))
            opcode, payload = caller.decode(data)
            if caller.buffers:
                caller.buffers = ()
            entry = self._entries.get(payload[0])
            in_own_thread = (
                caller.contexts
                or caller.held
                or (entry is not None and (entry.is_bound or payload[1] == "__enter__"))
            ) and caller.thread.takes(caller, entry, payload[1])
            caller.payload = payload
        except BaseException as error:  # everything goes to who asked
            if caller.gone:
                return  # this end was hung up, which says more than an answer
            fault = self._dispatcher.fault(unreadable(error), payload, caller)
            self._reply(caller, *fault)
            self._hand_back(caller)
            return
        if in_own_thread:
            request = opcode, payload, entry, size
            caller.thread.run(lambda: self._finish_in_own(caller, *request))
        else:
            self._finish(caller, opcode, payload, entry, size)

    def _finish_in_own(self, caller: Caller, *request: Any) -> None:
        """
        Answer a request in the thread that stands for the client's.
        """
        caller.thread.current = caller
        try:
            self._finish(caller, *request)
        finally:
            caller.thread.current = None

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
        words = caller.words
        state = words[STATE]
        started = 0.0 if state & SAMPLED else time.monotonic()
        data, buffers = answer = self._dispatcher.answer(opcode, payload, entry, caller)
        if answer is NOT_YET:
            return
        stays = (
            entry is not None and entry.owned and caller.thread.note_owned(entry.owned)
        )
        size_out = len(data)
        if buffers or size_out > caller.bufsize or NEEDS_FENCE or caller.grants:
            size_out = self._reply(caller, data, buffers)
        else:
            words[LENGTH] = size_out
            caller.map[: size_out + 4] = pack_size(size_out) + data
            words[STATE] = state + REPLIED - TAKEN
        # A caller that is silent now must not keep what it passed.
        caller.payload = None
        latency = self._hand_back(caller)
        # From here on the answer is on its way, and nobody waits for this thread.
        idx = 0 if entry is None else entry.idx
        self._count(caller, idx, opcode, size_in, size_out, latency, started)
        if caller.gone:
            self._end(caller)
        if stays:
            caller.thread.stay()

    def answer_lock(self, caller: Caller) -> None:
        """
        Tell a client that waits for the lock of an object that it has it.
        """
        self.watch.expect(caller)
        size = self._reply(caller, LOCKED, ())
        caller.payload = None
        latency = self._hand_back(caller)
        self._count(caller, DESK, EXECUTE, size, size, latency, 0.0)
        if caller.gone:
            self._end(caller)

    def _end(self, caller: Caller) -> None:
        """
        Take back what an answer granted that was made when its client had gone.
        """
        caller.end()
        self._table.count(self._workers.count(caller))

    def _count(
        self,
        caller: Caller,
        idx: int,
        opcode: int,
        size_in: int,
        size_out: int,
        latency: float,
        started: float,
    ) -> None:
        try:
            counts = caller.counts[idx]
        except KeyError:
            counts = caller.tally.begin(idx)
        counts[opcode] += 1
        counts[BYTES_IN] += size_in
        counts[BYTES_OUT] += size_out
        size = size_out if size_out > size_in else size_in
        counts[LAST_BYTES] = size
        if size > counts[PEAK_BYTES]:
            counts[PEAK_BYTES] = size
            if size > caller.bufsize:
                self._offer_buffer(caller, idx)
        if latency:
            counts[bucket_of(latency)] += 1
            caller.waited += latency
        elif started:
            latency = time.monotonic() - started
            counts[bucket_of(latency)] += SAMPLE_EVERY
            caller.waited += latency * SAMPLE_EVERY

    def _offer_buffer(self, caller: Caller, idx: int) -> None:
        """
        Offer the buffer that an object is shared with, where it is larger.
        """
        entry = self._entries.get(idx)
        if entry is not None and entry.policy.bufsize > caller.bufsize:
            caller.words[OFFERED] = entry.policy.bufsize

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
            lane.put(data, buffers, grant=caller.waits_for_word)
        except DataTooBigError as error:
            caller.take_back()
            data, _ = self._dispatcher.fault(error, caller.payload, caller)
            try:
                lane.put(data)
            except DataTooBigError:
                lane.put(NO_ROOM)
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
        latency = caller.blocked_since(time.monotonic())
        caller.lane.ring()
        return latency
