"""
Clients: the connected processes, their threads, and the blocks that these entered.

A client thread may have several lanes: a nested call has its own lane, and a call that
was cut short gives its lane up. This module has the state that belongs to the thread
and not to a lane: the server's own thread for it, and its blocks. This state stays
until the client reports the end of the thread, or the process ends.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ..errors import WorkerGone
from ..transport.handshake import worker_of
from ..transport.lanes import PHASE, STATE, TAKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..objects.claims import Claim
    from ..objects.locks import ObjectLocks
    from ..objects.table import Entry
    from ..stats.connection import Connection
    from ..transport.rendezvous import Hello
    from .acquired_locks import Acquired

__all__ = ["ClientProcess", "ClientThread", "Clients", "OpenContext"]


class OpenContext:
    """
    An object whose context manager a client thread has entered.

    Args:
        entry: The object.
        target: The object itself, even if the entry is given another one later.
        number: The client's number of the block; 0 if it gave no number.
    """

    __slots__ = ("entry", "number", "target")

    def __init__(self, entry: Entry, target: Any, number: int) -> None:
        self.entry: Entry = entry
        self.target: Any = target
        self.number: int = number


class ClientThread:
    """
    One thread of a client, and the server's own thread for it.

    Any thread of the server may answer most calls. After a call that acquired a lock of
    its thread, or that entered a context manager, further calls must run in the same
    thread.

    Args:
        process: Its process.
        hello: The identity that it sent.
    """

    def __init__(self, process: ClientProcess, hello: Hello) -> None:
        self.process = process
        self.name: str = worker_of(hello)
        self._hello = hello
        self.lanes = 0
        #: Entered contexts, outermost first; changed only in its own thread.
        self.contexts: list[OpenContext] = []
        #: For each lock that its own thread acquired: returns whether it still owns the
        #: lock.
        self.held: list[Callable[[], bool]] = []
        #: The lane of the call that its own thread is running, or ran last.
        self.current: Connection | None = None
        self._lock = threading.Lock()
        self._ident: int | None = None
        self._has_ended = False
        self._jobs: SimpleQueue[Callable[[], object] | None] | None = None

    @property
    def is_over(self) -> bool:
        """
        Whether the system says that the thread has ended, and its process has not.
        """
        tasks = Path(f"/proc/{self._hello.pid}/task")
        return not (tasks / str(self._hello.native_id)).exists() and tasks.exists()

    @property
    def has_own(self) -> bool:
        """
        Whether the server has a thread of its own for this client thread.
        """
        return self._jobs is not None

    @property
    def is_here(self) -> bool:
        """
        Whether the calling thread is the server's own thread for this client thread.
        """
        return self._ident == threading.get_ident()

    def takes(self, connection: Connection, entry: Entry | None, name: str) -> bool:
        """
        Return whether a call must run in this client thread's own server thread.

        That thread may be running a call of another lane: one whose signal handler
        makes this call, or one that was cut short. In this case only a call that is
        bound to the thread waits for it, and not even that if a block is left together
        with the call.

        Args:
            connection: The lane of the call.
            entry: The called object, if there is one.
            name: The method.
        """
        current = self.current
        if (
            current is not None
            and current is not connection
            and current.words[STATE] & PHASE == TAKEN
        ):
            if entry is None or not entry.is_bound:
                return False
            if name == "__exit__":
                # The thread that detects its end may be later than the next call.
                return not (current.gone or current.lane.is_left)
        return bool(self.contexts or self.held) or (
            entry is not None
            and (
                entry.keeps_threads
                or name == "__enter__"
                or (bool(entry.owned) and self.has_own)
            )
        )

    def run(self, job: Callable[[], object]) -> None:
        """
        Run a job in the server's own thread for this client thread.
        """
        with self._lock:
            if not self._has_ended:
                if self._jobs is None:
                    self._jobs = SimpleQueue()
                    threading.Thread(
                        target=self._work,
                        args=(self._jobs,),
                        name=f"duck-own-{self.name}",
                        daemon=True,
                    ).start()
                self._jobs.put(job)
                return
        # Too late: leave at once whatever the job opens.
        job()
        self.leave_all()

    def run_where_it_was(self, job: Callable[[], object]) -> None:
        """
        Run a job in this client thread's own server thread, or here if it has none.
        """
        self.run(job) if self.has_own else job()

    def note_owned(self, owned: tuple[Callable[[], bool], ...]) -> bool:
        """
        Note which locks the thread that has just answered a call owns.

        Args:
            owned: For each lock, returns whether the calling thread owns it.

        Returns:
            True if this thread must serve the client thread from now on: see `stay`.
        """
        for is_owned in owned:
            if is_owned() and is_owned not in self.held:
                self.held.append(is_owned)
        with self._lock:
            if not self.held or self._jobs is not None or self._has_ended:
                return False
            self._jobs = SimpleQueue()
            return True

    def stay(self) -> None:
        """
        Work for the client thread until this thread owns no lock any more.
        """
        if self._jobs is not None:
            self._work(self._jobs, for_good=False)

    def _work(
        self, jobs: SimpleQueue[Callable[[], object] | None], *, for_good: bool = True
    ) -> None:
        self._ident = threading.get_ident()
        while (job := jobs.get()) is not None:
            job()
            del job
            self.held[:] = [is_owned for is_owned in self.held if is_owned()]
            if for_good or self.held or self.contexts:
                continue
            with self._lock:
                if jobs.empty():
                    self._jobs = None
                    return
        # Locks that the last job granted to a client that had already ended.
        while not jobs.empty():
            if (job := jobs.get()) is not None:
                job()
        for is_owned in self.held:
            while is_owned():
                is_owned.__self__.release()  # type: ignore[attr-defined]

    def end(self) -> None:
        """
        Leave the thread's open contexts, and end the server's own thread for it.
        """
        with self._lock:
            self._has_ended = True
            jobs = self._jobs
        self.leave_all()
        if jobs is not None:
            jobs.put(None)

    def leave_all(self) -> None:
        """
        Leave all open contexts, the innermost first.
        """
        self.leave(*reversed(list(self.contexts)))

    def leave(self, *contexts: OpenContext) -> None:
        """
        Leave contexts that the client can no longer leave. Repeated calls do nothing.
        """
        jobs = self._jobs
        others = []
        for context in contexts:
            if jobs is not None and context.entry.is_bound:
                jobs.put(partial(self._leave, context))
            else:
                others.append(context)
        if others:
            # The client's own thread may be waiting for this object, such as a lock
            # that it enters again.
            threading.Thread(
                target=deque,
                args=(map(self._leave, others),),
                name="duck-leave",
                daemon=True,
            ).start()

    def _leave(self, context: OpenContext) -> None:
        try:
            self.contexts.remove(context)
        except ValueError:
            return  # it was left meanwhile
        error = WorkerGone(
            f"{self.name} ended, or was interrupted, inside a with block of "
            f"{context.entry.path}."
        )
        try:
            type(context.target).__exit__(context.target, WorkerGone, error, None)
        except BaseException:  # raised by the object; no code waits for it
            return


class ClientProcess:
    """
    One connected process.

    Args:
        acquired: The locks that clients of all processes acquired, by id.
    """

    def __init__(self, acquired: dict[int, Acquired]) -> None:
        self.acquired = acquired
        self.lanes = 0
        self.threads: dict[int, ClientThread] = {}
        #: Its claims to locks of objects, by block number.
        self.claims: dict[int, Claim] = {}
        #: Called when its last lane is closed, by name.
        self.on_end: dict[str, Callable[[], object]] = {}

    def pop_ended(self) -> list[ClientThread]:
        """
        Remove the threads that ended without a report, because they had no lane.

        A thread whose call was cut short gives up the lane of the call.
        """
        return [
            self.threads.pop(number)
            for number, thread in list(self.threads.items())
            if not thread.lanes and thread.is_over
        ]


class Clients:
    """
    All connected processes. Any thread may call it.

    Args:
        locks: The locks that they hold.
    """

    def __init__(self, locks: ObjectLocks) -> None:
        self._locks = locks
        self._lock = threading.Lock()
        self._processes: dict[str, ClientProcess] = {}
        self.acquired: dict[int, Acquired] = {}

    def threads(self) -> list[ClientThread]:
        """
        Return the client threads that are connected.
        """
        with self._lock:
            processes = list(self._processes.values())
            return [thread for each in processes for thread in each.threads.values()]

    def came(self, hello: Hello) -> ClientThread:
        """
        Note a new lane, and return its client thread.
        """
        with self._lock:
            process = self._processes.get(hello.client)
            if process is None:
                process = ClientProcess(self.acquired)
                self._processes[hello.client] = process
            thread = process.threads.get(hello.thread)
            if thread is None:
                thread = process.threads[hello.thread] = ClientThread(process, hello)
            process.lanes += 1
            thread.lanes += 1
            ended = process.pop_ended()
        for each in ended:
            each.end()
        return thread

    def went(self, hello: Hello, *, is_leaving: bool) -> bool:
        """
        Note that a lane was closed.

        Args:
            hello: The identity that its client sent.
            is_leaving: Whether the client's thread has ended.

        Returns:
            True if it was the last lane of its process.
        """
        with self._lock:
            process = self._processes.get(hello.client)
            if process is None:
                return False
            thread = process.threads[hello.thread]
            process.lanes -= 1
            thread.lanes -= 1
            ended = []
            if is_leaving and not thread.lanes:
                ended.append(process.threads.pop(hello.thread))
            if not process.lanes:
                del self._processes[hello.client]
                ended.extend(process.threads.values())
        for thread in ended:
            thread.end()
        if process.lanes:
            return False
        while process.claims:
            self._locks.end(process.claims.popitem()[1])
        for key, acquired in list(self.acquired.items()):
            if acquired.thread.process is process:
                del self.acquired[key]
                acquired.release()
        for tell in list(process.on_end.values()):
            tell()
        return True

    def end_block(self, process: ClientProcess, number: int) -> None:
        """
        End a block that no thread of its process will leave. Repeated calls do nothing.
        """
        claim = process.claims.pop(number, None)
        if claim is not None:
            self._locks.end(claim)
            return
        for thread in list(process.threads.values()):
            for context in list(thread.contexts):
                if context.number == number:
                    thread.leave(context)
