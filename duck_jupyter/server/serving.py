"""
Serving: from a request in a lane to its answer, and the open connections.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ..errors import DataTooBigError, HandshakeError, ProxyError
from ..protocol.faults import short_fault
from ..protocol.frames import FAULTED, encode_fault
from ..protocol.opcodes import ProxyOpCode
from ..protocol.references import DESK
from ..stats.error_log import Subject
from ..transport.lanes import (
    LENGTH,
    NEEDS_FENCE,
    REPLIED,
    SAMPLED,
    SEQUENCE,
    STATE,
    TAKEN,
    WAITING,
)
from ..transport.rendezvous import close_inherited
from .connections import Connection, left_by
from .dispatch import LOCKED, NOT_YET
from .loop import Loop
from .validation import counted_object, unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..objects.locks import ObjectLocks
    from ..objects.table import Entry, ObjectTable
    from ..stats.error_log import ErrorLog
    from ..stats.workers import WorkerLog
    from ..transport.pending_handshakes import Stranger
    from ..transport.rendezvous import Doorway, Hello
    from ..transport.stream_peer import Peer
    from .clients import Clients
    from .dispatch import Dispatcher
    from .door import Door

__all__ = ["Serving"]

CLOSE_S = 2.0
EXECUTE = int(ProxyOpCode.EXECUTE)
#: Errors of a handshake if the other side disconnects or speaks another protocol.
LEFT = (OSError, EOFError, ValueError, ProxyError)
#: The answer if there is no memory for any other; it fits the smallest buffer.
NO_ROOM = encode_fault(DESK, short_fault("DataTooBigError: no memory left"))


class Serving:
    """
    The running part of a server.

    Args:
        doorway: The socket where connections arrive.
        dispatcher: Answers their requests.
        table: The objects that they hold.
        locks: The locks that they hold.
        clients: The connected clients.
        errors: The log of refused connections.
        workers: The log of connections.
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
        self.connections: set[Connection] = set()
        #: Where clients of other hosts connect.
        self.doors: set[Door] = set()
        self.loop: Loop = Loop(
            doorway.socket,
            self._admit,
            self._shake_hands,
            self.serve,
            self.lose,
            self._tidy,
            self.doorway.prepare_block,
            locks.waiting,
        )

    def close(self) -> None:
        """
        Tell every connection that the server ends, and end the threads.
        """
        with self._lock:
            self._is_closed = True
            connections, self.connections = self.connections, set()
        self.loop.close()
        self.doorway.close()
        for door in list(self.doors):
            door.close()
        for connection in connections:
            self._disconnect(connection)
            self._table.count(connection.tally.take())
        if not threading.current_thread().name.startswith("duck-"):
            self.loop.ended.wait(CLOSE_S)

    def after_fork(self) -> None:
        """
        In a forked child, close what it inherited.
        """
        self.loop.after_fork()
        self.doorway.close(here=False)
        for door in list(self.doors):
            door.after_fork()
        for connection in list(self.connections):
            connection.lane.close()
        close_inherited(self.doorway.address)

    def _admit(self) -> bool:
        with self.doorway.lock:
            stranger = self.doorway.accept()
            if stranger is not None:
                self.loop.door.expect(stranger)
            return stranger is not None

    def _shake_hands(self, stranger: Stranger) -> Connection | None:
        """
        Continue a handshake.

        Returns:
            The connection, if the handshake is complete; None if more messages are to
            come, or if the client was refused.
        """
        with self.doorway.lock:
            try:
                if not self.doorway.greet(stranger):
                    return None
            except BaseException as error:
                self.loop.door.forget(stranger)
                self.doorway.dismiss(stranger)
                if isinstance(error, HandshakeError):
                    self.refuse(error)
                elif not isinstance(error, LEFT):
                    raise
                return None
        lane, stranger.lane = stranger.lane, None
        assert lane is not None  # the proof comes after the welcome
        hello = stranger.hello
        connection = self.admit(Connection, lane, hello, stranger.since)
        if connection is not None and hello.bufsize:
            lane.ring()  # its client now gives up another lane
        return connection

    def admit(
        self, kind: type[Connection], peer: Peer, hello: Hello, since: float
    ) -> Connection | None:
        """
        Note a client after its handshake.

        Args:
            kind: The kind of connection.
            peer: The server's end.
            hello: The identity of the client.
            since: When it connected, in monotonic seconds.

        Returns:
            The connection, or None if the server was closed.
        """
        with self._lock:
            if self._is_closed:
                peer.close()
                return None
            thread = self._clients.came(hello)
            connection = kind(peer, hello, thread, self._entries, since)
            self.connections.add(connection)
            connection.decode = self._dispatcher.decoder(connection)
            self._workers.came(connection)
            if kind.is_polled:
                self.loop.add(connection)
        for left in left_by(thread, self.connections):
            left.settle()
            self.loop.remove(left)
            self.lose(left)
        return connection

    def refuse(self, error: HandshakeError) -> None:
        """
        Log a client that was refused.
        """
        subject = Subject(0, "the server", "", "connect")
        self._errors.note(error, str(error), "", subject, (0, ""))

    def _tidy(self) -> None:
        """
        Do the work that threads of this process left to a thread of the server.
        """
        self._table.sweep()
        self._locks.end_given_up()

    def lose(self, connection: Connection) -> None:
        """
        Clean up a connection whose client has disconnected.
        """
        with self._lock:
            if connection not in self.connections:
                return
            self.connections.discard(connection)
        last = self._disconnect(connection)
        self._table.count(self._workers.count(connection))
        self._workers.went(connection, last=last)
        if last:
            self._table.drop_holder(connection.hello.client)

    def _disconnect(self, connection: Connection) -> bool:
        """
        Close a lane, and take back grants of answers that did not arrive.

        Returns:
            True if it was the last one of its process.
        """
        connection.gone = True
        connection.lane.hang_up()
        connection.end()
        return self._clients.went(connection.hello, is_leaving=connection.is_leaving)

    def serve(self, connection: Connection) -> None:
        """
        Answer the posted request of a connection whose claim is held.
        """
        words = connection.words
        if connection.grants:
            connection.acknowledge()  # a new request shows that the last answer arrived
        words[STATE] = (words[STATE] & SEQUENCE) | TAKEN
        payload: Any = None
        try:
            size = words[LENGTH]
            if size <= connection.bufsize:
                data = connection.map[4 : size + 4]
            else:
                data, buffers = connection.lane.take()
                connection.buffers = buffers
                size = len(data) + sum(map(len, buffers))
            opcode, payload = connection.decode(data)
            if connection.buffers:
                connection.buffers = ()
            entry = self._entries.get(payload[0])
            in_own_thread = (
                connection.contexts
                or connection.held
                or (entry is not None and (entry.is_bound or payload[1] == "__enter__"))
            ) and connection.thread.takes(connection, entry, payload[1])
            connection.payload = payload
        except BaseException as error:  # the client gets every error
            if connection.gone:
                # this end was closed, which tells the client more than an answer
                return
            fault = self._dispatcher.fault(unreadable(error), payload, connection)
            self._reply(connection, *fault)
            self._hand_back(connection)
            return
        if in_own_thread:
            request = opcode, payload, entry, size
            connection.thread.run(lambda: self._finish_in_own(connection, *request))
        else:
            self._finish(connection, opcode, payload, entry, size)

    def _finish_in_own(self, connection: Connection, *request: Any) -> None:
        """
        Answer a request in the server's own thread for the client thread.
        """
        connection.thread.current = connection
        try:
            self._finish(connection, *request)
        finally:
            connection.thread.current = None

    def _finish(
        self,
        connection: Connection,
        opcode: int,
        payload: Any,
        entry: Entry | None,
        size_in: int,
    ) -> None:
        """
        Answer a decoded request, and count it afterwards.
        """
        words = connection.words
        state = words[STATE]
        data, buffers = answer = self._dispatcher.answer(
            opcode, payload, entry, connection
        )
        if answer is NOT_YET:
            return
        stays = (
            entry is not None
            and entry.owned
            and connection.thread.note_owned(entry.owned)
        )
        size_out, count = len(data), connection.count
        if buffers or size_out > connection.bufsize or NEEDS_FENCE or connection.grants:
            if buffers is FAULTED:
                buffers, count = (), connection.count_fault
            size_out = self._reply(connection, data, buffers)
        else:
            words[LENGTH] = size_out
            connection.map[4 : size_out + 4] = data
            words[STATE] = state + REPLIED - TAKEN
        # An idle connection must not keep the arguments of its last request.
        connection.payload = None
        latency = self._hand_back(connection)
        # From here on the answer is posted, and no client waits for this thread.
        idx = counted_object(payload, self._entries) if entry is None else entry.row
        if idx is not None:
            count(idx, opcode, size_in, size_out, latency, state)
        if connection.gone:
            self._end(connection)
        if stays:
            connection.thread.stay()

    def answer_lock(self, connection: Connection) -> None:
        """
        Tell a client that waits for the lock of an object that it now holds the lock.
        """
        self.loop.expect(connection)
        payload = connection.payload
        size = self._reply(connection, LOCKED, ())
        connection.payload = None
        latency = self._hand_back(connection)
        idx = counted_object(payload, self._entries) or 0
        connection.count(idx, EXECUTE, size, size, latency, SAMPLED)
        if connection.gone:
            self._end(connection)

    def _end(self, connection: Connection) -> None:
        """
        Take back grants of an answer that was made after its client had disconnected.
        """
        connection.end()
        self._table.count(self._workers.count(connection))

    def _reply(
        self, connection: Connection, data: bytes, buffers: Sequence[Any]
    ) -> int:
        """
        Write an answer into the lane.

        Returns:
            Its size in bytes.
        """
        size = len(data)
        if buffers:
            size += sum(buffer.raw().nbytes for buffer in buffers)
        lane = connection.lane
        try:
            lane.put(data, buffers, grant=connection.waits_for_word)
        except DataTooBigError as error:
            connection.take_back()
            data, _ = self._dispatcher.fault(error, connection.payload, connection)
            try:
                lane.put(data)
            except DataTooBigError:
                lane.put(NO_ROOM)
        words = connection.words
        words[STATE] = (words[STATE] & SEQUENCE) | REPLIED
        return size

    def _hand_back(self, connection: Connection) -> float:
        """
        Admit the next request, and wake the client if it blocks.

        Returns:
            How long it has blocked, in seconds; 0 if it did not.
        """
        # Releasing a lock is a memory fence: the answer is visible before WAITING is
        # read.
        connection.claim.release()
        if not connection.words[WAITING]:
            return 0.0
        latency = connection.waited_since(time.monotonic())
        connection.lane.ring()
        return latency
