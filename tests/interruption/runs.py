"""
Run one operation in one mode at each of its steps, and look at both sides after each.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from duck_jupyter import ProxyError, locked
from tests.support.processes import wait_until

from .bench import Kit
from .census import growth, is_bounded, take_census
from .crew import HangingError, Nursery, Stepper
from .endings import Ending
from .leaks import Leaks
from .report import Report, Wrong
from .rival import look_from_beside
from .stepping import call_at, cut_at, describe, inner_tag, survey
from .steps import merge

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tests.support.workers import Worker

    from .bench import Bench
    from .choice import Choice
    from .operation import Operation
    from .steps import Step

CUT, NESTED, KILLED = "cut", "nested", "killed"
#: Runs that look for the steps of an operation.
SURVEYS = 3
WARM_RUNS = 2
#: How often a usual step is tried that a run did not come to.
TRIES = 3
#: The part of the usual steps that may not be reached. A killed worker is a new one
#: each time, which waits more or less often than the last.
MOST_UNREACHED = {CUT: 0.1, NESTED: 0.1, KILLED: 0.3}
#: Seconds in which a lock has to be free after an interrupt, and after a kill.
FREE_S = 0.5
FREE_AFTER_KILL_S = 2.0
#: Seconds in which what is given back in the background has to be gone.
SETTLE_S = 2.0
#: A step that is suspected of a leak is repeated so often; it has to leak each time but
#: the first.
REPEATS = 4

_serial = itertools.count()


class Run:
    """
    One operation in one mode; whoever makes it closes it.

    Args:
        operation: The operation.
        mode: `CUT`, `NESTED` or `KILLED`.
        bench: The objects; they belong to this process.
        rival: Another worker, for looking at the objects from beside.
    """

    def __init__(
        self, operation: Operation, mode: str, bench: Bench, rival: Worker
    ) -> None:
        self.operation = operation
        self.mode = mode
        self.bench = bench
        self.rival = rival
        self.report = Report(operation.name, mode)
        self._stepper = self._new_stepper()
        self._nursery = Nursery() if mode == KILLED else None
        self._checked: dict[str, int] = {}
        self._leaks = Leaks()
        self._given: Any = None
        #: The steps of every run; others depend on who is faster.
        self._usual: set[Step] = set()

    def _new_stepper(self) -> Stepper:
        return Stepper(lambda: self.operation.make_kit(self.bench))

    def go(self, choice: Choice) -> Report:
        """
        Step through the operation.
        """
        started = time.monotonic()
        steps = [step for step in self._survey() if not self.operation.is_over(step)]
        chosen = choice.pick(steps, large=self.operation.large)
        self.report.found, self.report.chosen = len(steps), len(chosen)
        hanging = 0
        for number, step in enumerate(chosen):
            hanging += self._do(step, number)
            if hanging >= choice.most_hanging or (
                len(self.report.wrong) >= choice.most_wrong
            ):
                left = len(chosen) - number - 1
                if left:
                    self.report.stopped = f"stopped with {left} steps to go"
                break
        self._look_at_the_end()
        self.report.seconds = time.monotonic() - started
        return self.report

    def close(self) -> None:
        """
        End the processes.
        """
        self._stepper.close()
        if self._nursery is not None:
            self._nursery.close()

    # -- steps -------------------------------------------------------------------

    def _survey(self) -> list[Step]:
        self._warm_up()
        surveys = [self._run_through() for _ in range(SURVEYS)]
        self._usual = set(surveys[0]).intersection(*surveys[1:])
        return merge(surveys)

    def _warm_up(self) -> None:
        # The first runs load modules and fill caches, so their steps do not count.
        for _ in range(WARM_RUNS):
            self._run_through()

    def _run_through(self) -> list[Step]:
        tag = self._new_tag()
        given = self.operation.prepare(self.bench, tag)
        steps: list[Step] = self._stepper.run(survey, self.operation, tag, given)
        self.bench.drain()
        return steps

    def _do(self, step: Step, number: int) -> bool:
        """
        Do one step, and tell whether it hung.
        """
        for _ in range(TRIES if step in self._usual else 1):
            tag = self._new_tag()
            ending, faults, hung = self._run_at(step, tag, number)
            if ending is None or ending.reached:
                break
        if ending is None:
            ending = Ending(tag, reached=True)
        elif not faults and (ending.reached or not self._nursery):
            # A worker that lives does not tell what it got; another mode looks at that.
            faults += self._check(ending)
        if not ending.reached and not faults:
            self.report.unreached.append(step)
            return False
        self.report.covered += 1
        if faults:
            self.report.wrong.append(Wrong(step, faults, ending.chain))
            self._start_anew()
        else:
            self._leaks.note(step, ending.held)
        return hung

    def _run_at(
        self, step: Step, tag: str, number: int
    ) -> tuple[Ending | None, list[str], bool]:
        operation = self.operation
        given = self._given = operation.prepare(self.bench, tag)
        try:
            if self._nursery is not None:
                return self._kill_at(step, tag, given)
            if self.mode == CUT:
                ending = self._stepper.run(cut_at, operation, tag, given, step)
            else:
                large = bool(number % 2)
                ending = self._stepper.run(call_at, operation, tag, given, step, large)
        except HangingError as hanging:
            return None, [str(hanging)], True
        except RuntimeError as failure:
            return None, [f"the harness could not go on: {failure}"], False
        return ending, list(ending.faults), False

    def _kill_at(
        self, step: Step, tag: str, given: Any
    ) -> tuple[Ending | None, list[str], bool]:
        assert self._nursery is not None
        givens = [self.operation.prepare(self.bench, f"{tag}/warm"), given]
        kit = self.bench.kit
        end = self._nursery.kill_one(self.operation, kit, givens, tag, step)
        if end in ("killed", "not reached"):
            is_dead = end == "killed"
            return (
                Ending(tag, reached=is_dead, killed=is_dead, returned=not is_dead),
                [],
                False,
            )
        return None, [end], "did not end" in end

    # -- what is right -------------------------------------------------------------

    def _check(self, ending: Ending) -> Iterator[str]:
        operation = self.operation
        if not operation.in_owner:
            yield from self._check_locks()
            yield from self._check_applied(ending)
        yield from operation.check(self.bench, self.rival, self._given, ending)

    def _check_locks(self) -> Iterator[str]:
        in_time = FREE_AFTER_KILL_S if self.mode == KILLED else FREE_S
        bench, lock = self.bench, self.operation.lock
        try:
            with locked(bench.kit.desk, timeout=in_time):
                pass
        except ProxyError as error:
            yield f"locked() here: {describe(error)}"
            return
        if lock is not None:
            if not getattr(bench, lock).acquire(timeout=in_time):
                yield f"the {lock} is not free after {in_time} s"
                return
            getattr(bench, lock).release()
        shown = Kit(bench.kit.desk, bench.kit.lock, bench.kit.rlock)
        yield from self.rival.run(look_from_beside, shown, lock, in_time)

    def _check_applied(self, ending: Ending) -> Iterator[str]:
        applied = self.bench.desk.applied
        times = self._checked[ending.tag] = applied[ending.tag]
        must = ending.returned and self.operation.applies and not ending.killed
        if times > 1 or (must and not times):
            yield f"it was applied {times} times"
        inner = inner_tag(ending.tag)
        times = self._checked[inner] = applied[inner]
        if times != (self.mode == NESTED and ending.reached):
            yield f"the call inside was applied {times} times"

    def _look_at_the_end(self) -> None:
        general = self.report.general
        unreached = [step for step in self.report.unreached if step in self._usual]
        if len(unreached) > max(MOST_UNREACHED[self.mode] * self.report.chosen, 5):
            general.append(f"{len(unreached)} steps were not reached: {unreached[0]}")
        applied = self.bench.desk.applied
        late = [
            f"{tag}: {times} times, then {applied[tag]}"
            for tag, times in self._checked.items()
            # What a killed worker had sent whole is applied when its turn comes.
            if applied[tag] not in ((times, 1) if self.mode == KILLED else (times,))
        ]
        if late:
            general.append(f"applied after the next calls: {late[:3]}")
        owner = self._leaks.owner
        if owner and not wait_until(
            lambda: is_bounded(growth(owner, take_census())), SETTLE_S
        ):
            general.append(
                "the owner holds more than in the beginning: "
                f"{growth(owner, take_census())}"
            )
        general += self._leaks.new_worker()
        for step in self._leaks.suspects:
            self._repeat(step)

    def _repeat(self, step: Step) -> None:
        """
        Say which of the steps leak that may.
        """
        there, here = [], []
        for number in range(REPEATS):
            ending, faults, _ = self._run_at(step, self._new_tag(), number)
            if ending is None or faults:
                return
            self.bench.drain()
            there.append(ending.held)
            here.append(take_census())
        # What an abandoned connection leaves here goes in the background.
        if is_leak(here) and wait_until(
            lambda: not is_leak([here[0], take_census()]), SETTLE_S
        ):
            here = here[:1]
        if is_leak(here) or is_leak(there):
            more = growth(here[0], here[-1]) | growth(there[0], there[-1])
            leak = f"{REPEATS - 1} times this step leave {more} behind"
            self.report.wrong.append(Wrong(step, [leak], []))

    # -- making ready --------------------------------------------------------------

    def _new_tag(self) -> str:
        return f"{self.operation.name}-{self.mode}-{next(_serial)}"

    def _start_anew(self) -> None:
        """
        Go on with objects and a worker that nothing has gone wrong with.
        """
        self._stepper.close()
        self.bench.renew()
        self._stepper = self._new_stepper()
        self._warm_up()
        self.report.general += self._leaks.new_worker()


def is_leak(held: list[Counter[str]]) -> bool:
    """
    Tell whether something is left each time but the first.
    """
    return held[-1].total() - held[0].total() >= REPEATS - 1
