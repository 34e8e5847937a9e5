"""
Clients: the processes that are connected, their threads, and the blocks they are in.

A client thread may have several lanes: a call inside another one has one of its own,
and one whose call was cut short is given up. What belongs to the thread, and not to a
lane, is here: the server's thread that stands for it, and its blocks. It stays until
the client says that the thread has ended, or the process ends.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import WorkerGone
from ..transport.lanes import PHASE, STATE, TAKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..objects.claims import Claim
    from ..objects.locks import ObjectLocks
    from ..objects.table import Entry
    from ..transport.lanes import Lane
    from ..transport.rendezvous import Hello
    from .acquired_locks import Acquired

__all__ = ["ClientProcess", "ClientThread", "Clients", "OpenContext"]


class Current(Protocol):
    """
    The connection of a lane, as far as its thread has to know it.
    """

    lane: Lane
    words: memoryview[int]
    #: The connection has ended.
    gone: bool


class OpenContext:
    """
    An object whose context manager a client thread has entered.

    Args:
        entry: The object.
        target: The object itself, whatever the entry stands for later.
        number: What the client calls the block; 0 where it gave no number.
    """

    __slots__ = ("entry", "number", "target")

    def __init__(self, entry: Entry, target: Any, number: int) -> None:
        self.entry: Entry = entry
        self.target: Any = target
        self.number: int = number


class ClientThread:
    """
    One thread of a client, and the thread of the server that stands for it.

    Most calls may be answered by any thread of the server. One in which a lock was
    acquired that belongs to its thread, or a context manager was entered, has to be
    followed by calls in the same one.

    Args:
        process: Its process.
        hello: What it said of itself.
    """

    def __init__(self, process: ClientProcess, hello: Hello) -> None:
        self.process = process
        self.name: str = f"{hello.process_name} (pid {hello.pid})"
        self._hello = hello
        self.lanes = 0
        #: Contexts it has entered, outermost first; changed in its own thread only.
        self.contexts: list[OpenContext] = []
        #: For each lock that its own thread acquired: says whether it owns it still.
        self.held: list[Callable[[], bool]] = []
        #: The lane of the call that its own thread is inside of, or was last.
        self.current: Current | None = None
        self._lock = threading.Lock()
        self._ident: int | None = None
        self._has_ended = False
        self._jobs: SimpleQueue[Callable[[], object] | None] | None = None

    @property
    def is_over(self) -> bool:
        """
        The system says that the thread has ended, and its process has not.
        """
        tasks = Path(f"/proc/{self._hello.pid}/task")
        return not (tasks / str(self._hello.native_id)).exists() and tasks.exists()

    @property
    def has_own(self) -> bool:
        """
        A thread of the server stands for this one.
        """
        return self._jobs is not None

    @property
    def is_here(self) -> bool:
        """
        The thread that asks is the one that stands for this one.
        """
        return self._ident == threading.get_ident()

    def takes(self, connection: Current, entry: Entry | None, name: str) -> bool:
        """
        Tell whether a call is to be made in the thread that stands for this one.

        That thread may be inside a call of another lane: of which a signal handler
        makes this one, or which was cut short. Then only what is bound to it waits for
        it, and not even that where a block is left together with the call.

        Args:
            connection: The lane of the call.
            entry: The object that is called, where there is one.
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
                # The thread that hears of its end may come after the next call.
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
        Run a job in the thread of the server that stands for this one.
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
        # Too late: what it opens is to be left at once.
        job()
        self.leave_all()

    def run_where_it_was(self, job: Callable[[], object]) -> None:
        """
        Run a job in the thread that stands for this one, if there is one, else here.
        """
        self.run(job) if self.has_own else job()

    def note_owned(self, owned: tuple[Callable[[], bool], ...]) -> bool:
        """
        Note which locks the thread of the server owns that has just answered a call.

        Args:
            owned: Say for each lock whether the thread that asks owns it.

        Returns:
            True when this thread is to stand for the client's from now on: see `stay`.
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
        Work for the client thread until it owns no lock any more.
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
        # What the last job granted to a client that had ended by then.
        while not jobs.empty():
            if (job := jobs.get()) is not None:
                job()
        for is_owned in self.held:
            while is_owned():
                is_owned.__self__.release()  # type: ignore[attr-defined]

    def end(self) -> None:
        """
        Leave what the thread left open, and end the server's thread for it.
        """
        with self._lock:
            self._has_ended = True
            jobs = self._jobs
        self.leave_all()
        if jobs is not None:
            jobs.put(None)

    def leave_all(self) -> None:
        """
        Leave what is open, the innermost context first.
        """
        self.leave(*reversed(list(self.contexts)))

    def leave(self, *contexts: OpenContext) -> None:
        """
        Leave contexts that the client cannot leave any more. Twice is fine.
        """
        jobs = self._jobs
        others = []
        for context in contexts:
            if jobs is not None and context.entry.is_bound:
                jobs.put(partial(self._leave, context))
            else:
                others.append(context)
        if others:
            # The thread of the client may be waiting for this very object, such as a
            # lock that is entered again.
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
        except BaseException:  # the object's own; nobody is left to tell
            return


class ClientProcess:
    """
    One connected process.

    Args:
        acquired: The locks that clients acquired, by their ids; that of all processes.
    """

    def __init__(self, acquired: dict[int, Acquired]) -> None:
        self.acquired = acquired
        self.lanes = 0
        self.threads: dict[int, ClientThread] = {}
        #: Its claims to the locks of objects, by the numbers of its blocks.
        self.claims: dict[int, Claim] = {}

    def pop_ended(self) -> list[ClientThread]:
        """
        Forget the threads that have ended without a word, for want of a lane.

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
        Give the client threads that are connected.
        """
        with self._lock:
            processes = list(self._processes.values())
            return [thread for each in processes for thread in each.threads.values()]

    def came(self, hello: Hello) -> ClientThread:
        """
        Note a new lane, and give the thread that it belongs to.
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
        Note that a lane is closed.

        Args:
            hello: What its client said.
            is_leaving: The client's thread has ended.

        Returns:
            True when it was the last one of its process.
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
        return True

    def end_block(self, process: ClientProcess, number: int) -> None:
        """
        End a block of a process that none of its threads leaves. Twice is fine.
        """
        claim = process.claims.pop(number, None)
        if claim is not None:
            self._locks.end(claim)
            return
        for thread in list(process.threads.values()):
            for context in list(thread.contexts):
                if context.number == number:
                    thread.leave(context)
