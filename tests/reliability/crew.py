"""
The worker processes of a round, and what befalls them.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.processes import wait_until

from .ledger import has_ended, path_of
from .operations import GONE
from .worker import BEGIN, LEAVE, STACKS, STOP, work

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from .plans import Plan
    from .targets import Proxies

__all__ = ["Crew"]

START_S = 30.0
JOIN_S = 10.0
POLL_S = 0.1
STACK_S = 0.5
STACK_CHARS = 4000


@dataclass
class Place:
    """
    One worker at a time.
    """

    slot: int
    number: int
    process: BaseProcess


@dataclass
class Progress:
    """
    When a ledger last grew.
    """

    size: int = -1
    since: float = 0.0


@dataclass
class Fates:
    """
    What befell the workers.
    """

    #: When a killed worker was certainly dead, in monotonic seconds, by its number.
    died: dict[int, float] = field(default_factory=dict)
    #: The stacks of hung workers, by number.
    hung: dict[int, str] = field(default_factory=dict)
    #: Exit codes that no worker should have, by number.
    odd: dict[int, int | None] = field(default_factory=dict)


class Crew:
    """
    Workers that are interrupted, killed and replaced.

    Args:
        plan: The round.
        proxies: What they use.
        folder: That of the round.
    """

    def __init__(self, plan: Plan, proxies: Proxies, folder: Path) -> None:
        self.fates = Fates()
        self._plan = plan
        self._proxies = proxies
        self._folder = folder
        self._context = multiprocessing.get_context(plan.method)
        self._count = 0
        self._chosen = random.Random(f"crew {plan.seed}")
        self._ended = threading.Event()
        self._chaos = threading.Thread(target=self._run, daemon=True)
        self._error: Exception | None = None
        self._places: list[Place] = []
        self._stuck: list[Place] = []

    def start(self) -> None:
        """
        Start all workers, let them begin at once, and start what harms them.
        """
        self._places = [self._make(slot) for slot in range(self._plan.workers)]
        wait_until(lambda: all(self._size(x.number) for x in self._places), START_S)
        (self._folder / BEGIN).touch()
        self._chaos.start()

    def _make(self, slot: int) -> Place:
        number = self._count
        self._count += 1
        process = self._context.Process(  # type: ignore[attr-defined]
            target=work,
            args=(self._plan, self._proxies, self._folder, number, slot),
            name=f"reliability-{number}",
            daemon=True,
        )
        process.start()
        return Place(slot, number, process)

    # -- harm ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._harm()
        except Exception as error:  # raised again in the main thread
            self._error = error

    def _harm(self) -> None:
        """
        Send signals at random until the end.
        """
        plan = self._plan
        acts = [
            (every, act)
            for every, act in (
                (plan.interrupt_every_s, self._interrupt),
                (plan.kill_every_s, self._kill),
            )
            if every
        ]
        now = time.monotonic()
        due = [now + self._wait(every) for every, _ in acts]
        while acts and not self._ended.wait(max(min(due) - time.monotonic(), 0)):
            i = due.index(min(due))
            every, act = acts[i]
            act(self._chosen.choice(self._places))
            due[i] = time.monotonic() + self._wait(every)

    def _wait(self, mean_s: float) -> float:
        return self._chosen.expovariate(1 / mean_s)

    def _interrupt(self, place: Place) -> None:
        # Until its first line is there it does not handle signals.
        if self._size(place.number) > 0 and place.process.exitcode is None:
            assert place.process.pid is not None
            os.kill(place.process.pid, signal.SIGINT)

    def _kill(self, place: Place) -> None:
        if place.process.exitcode not in (None, GONE):
            self.fates.odd[place.number] = place.process.exitcode
        self._end(place)
        self._places[self._places.index(place)] = self._make(place.slot)

    def _end(self, place: Place) -> None:
        place.process.kill()
        place.process.join(JOIN_S)
        self.fates.died[place.number] = time.monotonic()
        place.process.close()

    # -- the end ---------------------------------------------------------------------

    def stop(self) -> None:
        """
        Let the workers end their last operations; find those that hang.
        """
        self._ended.set()
        self._chaos.join()
        if self._error is not None:
            raise RuntimeError("The harness itself failed.") from self._error
        (self._folder / STOP).touch()
        seen: dict[Path, Progress] = {}
        waiting = list(self._places)
        while waiting:
            for place in list(waiting):
                if self._is_idle(place):
                    waiting.remove(place)
                elif self._is_stuck(place, seen):
                    waiting.remove(place)
                    self._places.remove(place)
                    self.fates.hung[place.number] = self._stacks(place)
                    self._stuck.append(place)
            wait_until(lambda: all(map(self._is_idle, waiting)), POLL_S)

    def _size(self, number: int) -> int:
        path = path_of(self._folder, f"{number}.0")
        return path.stat().st_size if path.exists() else 0

    def _is_idle(self, place: Place) -> bool:
        if place.process.exitcode == GONE:
            return True
        path = path_of(self._folder, f"{place.number}.0")
        return path.exists() and has_ended(path)

    def _is_stuck(self, place: Place, seen: dict[Path, Progress]) -> bool:
        """
        Tell whether one of a worker's threads has made no progress for too long.
        """
        now = time.monotonic()
        if not place.process.is_alive():
            return True
        for i in range(self._plan.threads):
            path = path_of(self._folder, f"{place.number}.{i}")
            size = path.stat().st_size if path.exists() else 0
            progress = seen.setdefault(path, Progress(since=now))
            if size != progress.size:
                seen[path] = Progress(size, now)
            elif now - progress.since > self._plan.hang_s and not (
                path.exists() and has_ended(path)
            ):
                return True
        return False

    def _stacks(self, place: Place) -> str:
        """
        Let a worker write where its threads are.
        """
        if not place.process.is_alive() or place.process.pid is None:
            return f"it ended by itself with exit code {place.process.exitcode}"
        path = self._folder / f"{place.number}{STACKS}"
        if not path.exists():
            return "it has not begun"
        os.kill(place.process.pid, signal.SIGUSR1)
        wait_until(lambda: path.stat().st_size > 0, STACK_S)
        return path.read_text()[:STACK_CHARS]

    def leave(self) -> None:
        """
        Let the workers end, and wait until they have; kill those that hang.
        """
        # Not before: what they wait for would be released with them, and go unseen.
        for place in self._stuck:
            self._end(place)
        (self._folder / LEAVE).touch()
        for place in self._places:
            place.process.join(JOIN_S)
            if place.process.exitcode not in (0, GONE):
                self.fates.odd[place.number] = place.process.exitcode
                place.process.kill()
                place.process.join(JOIN_S)
            place.process.close()
        self._places = []
