"""
The search that visits all states of `lane_model`.

The state of a program is the line where it waits, with its local variables.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .lane_model import Model
from .lane_state import (
    CLIENT,
    HOLDER,
    OF_A_LANE,
    OF_ALL,
    GiveUp,
    Op,
    Rules,
    State,
    Step,
    results,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from .lane_model import Program

__all__ = ["Search", "Visited"]

PRIVATE = {"get", "put", "got"}
NO_FENCES = {"load", "store", "acknowledge", "see", "set", "grant", "undo", "clock"}
NO_FENCES |= {"call"}
#: Where a signal may cut a call short, or come with a call of its own.
AT_REST = {("bells", ""), ("acquire", "post")}
#: How likely it is that the holder of the lock lets others go first.
HOLDS = 0.97
OF_A_CALL = {"load", "store", "ring", "fence", "poll", "hear"}


class Search:
    """
    All states that a run can be in.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.model = Model(rules)
        #: Of each place where a program waits: how it got there, and what it does next.
        self.places: dict[Any, int] = {}
        self.history: list[tuple[Callable[[], Program], tuple[Any, ...]]] = []
        self.ops: list[Op] = []
        self.sent: dict[tuple[int, Any], int | None] = {}
        self.nested = partial(self.model.exchange, len(rules.plan))
        self.lanes = 1 + bool(rules.nested) + rules.gives_up
        cells = (*OF_ALL.values(), *tuple(OF_A_LANE.values()) * self.lanes)
        none: tuple[int, ...] = ()
        programs = (none,) * (rules.threads + 2)
        state = State(cells, ((), ()), programs)
        state = self._begin(state, CLIENT, self.model.client)
        for me in range(1, rules.threads + 1):
            state = self._begin(state, me, partial(self.model.server, me))
        if "lock" in rules.plan:
            state = self._begin(state, HOLDER, self.model.holder)
        self.start = state

    # -- programs --------------------------------------------------------------------

    def _begin(self, state: State, program: int, make: Callable[[], Program]) -> State:
        place = self._place(make, ())
        assert place is not None
        stack = (*state.programs[program], place)
        return self._go_on(state.at(program, stack), program)

    def _place(self, make: Callable[[], Program], results: Any) -> int | None:
        """
        Run a program up to where it waits after so many results.
        """
        running: Any = make()
        try:
            op = next(running)
            for result in results:
                give_up = result is GiveUp
                op = running.throw(GiveUp()) if give_up else running.send(result)
        except StopIteration:
            return None
        key = self._key(running, op)
        if key not in self.places:
            self.places[key] = len(self.ops)
            self.ops.append(op)
            self.history.append((make, results))
        return self.places[key]

    def _send(self, state: State, program: int, result: Any) -> State:
        stack = state.programs[program]
        place = stack[-1]
        key = (place, result)
        if key not in self.sent:
            make, results = self.history[place]
            self.sent[key] = self._place(make, (*results, result))
        after = self.sent[key]
        return state.at(program, stack[:-1] if after is None else (*stack[:-1], after))

    def _resume(self, state: State, program: int, result: Any) -> State:
        depth = len(state.programs[program])
        state = self._send(state, program, result)
        return (
            state
            if len(state.programs[program]) < depth
            else self._go_on(state, program)
        )

    def _go_on(self, state: State, program: int) -> State:
        """
        Run a program up to what others may see.
        """
        depth = len(state.programs[program])
        while len(state.programs[program]) == depth:
            op = self.ops[state.programs[program][-1]]
            if op.kind not in PRIVATE:
                break
            result = None
            if op.kind == "get":
                result = state.get(op.name, op.lane)
            elif op.kind == "put":
                state = state.put(op.name, op.value, op.lane)
            else:
                n, answer = op.value
                state = state.add("got", n)
                if answer[:2] != ("answer", n):
                    state = state.put("broken", f"request {n} got {answer}")
            state = self._send(state, program, result)
        return state

    # -- steps -----------------------------------------------------------------------

    def steps(self, state: State) -> Iterator[tuple[Step, State]]:
        """
        List what may happen next.
        """
        rules = self.rules
        last = len(state.programs) - 1
        quiet = self._quiet(state)
        for program, stack in enumerate(state.programs):
            if not stack:
                continue
            op = self.ops[stack[-1]]
            side = int(program != CLIENT)
            if quiet in (None, program) and (
                op.kind in NO_FENCES or not state.queues[side] or self._lacks(op)
            ):
                for result, after in results(rules, state, program, op):
                    done = Step(program, "do", op, result)
                    yield done, self._resume(after, program, result)
            if program != CLIENT or len(stack) > 1 or op.kind not in OF_A_CALL:
                continue
            if rules.gives_up and not state.get("gave up"):
                after = state.put("gave up", True)
                yield Step(CLIENT, "give up", op), self._resume(after, CLIENT, GiveUp)
            if rules.nested and op.kind == "poll" and not state.get("nested"):
                after = state.put("nested", True)
                after = self._begin(after, CLIENT, self.nested)
                yield Step(CLIENT, "nest", op), after
        for side, stores in enumerate(state.queues):
            if stores and quiet is None:
                _, word, lane, value = stores[0]
                after = state.put(word, value, lane).queue(side, stores[1:])
                yield Step(side, "flush", stores[0]), after
        if rules.dies and not state.get("dead"):
            after = state.put("dead", True)
            mine = range(1) if rules.dies == "client" else range(1, last + 1)
            for program in mine:
                after = after.at(program, ())
            yield Step(mine[0], "die"), after
        elif rules.dies:
            yield from self._end(state)

    def _quiet(self, state: State) -> int | None:
        """
        Give a program whose next step no other one can tell from its last one.

        What others do may as well come after it, so it is enough to visit that order.
        """
        stays = not (self.rules.dies or self.rules.gives_up)
        for program, stack in enumerate(state.programs):
            op = self.ops[stack[-1]] if stack else Op("")
            is_flushed = not state.queues[program != CLIENT]
            if (
                (op.kind == "store" and program == CLIENT)
                or (op.kind == "fence" and is_flushed)
                or (op.kind == "release" and op.lane < 0 and is_flushed)
                or (op.name == "gone" and stays)
                or op.value == "own"
            ):
                return program
        return None

    @staticmethod
    def _key(running: Program, op: Op) -> Any:
        """
        Give what tells a place in a program from all others.
        """
        where: list[Any] = [op]
        inner: Any = running
        while inner is not None:
            frame = inner.gi_frame
            variables = [x for x in frame.f_locals.items() if x[0] != "self"]
            where.append((frame.f_code.co_name, frame.f_lineno, tuple(variables)))
            inner = inner.gi_yieldfrom
        return tuple(where)

    def _lacks(self, op: Op) -> bool:
        """
        Say whether an operation that empties the queue does not, in this search.
        """
        side = op.name if op.kind == "fence" else "server"
        is_fence = op.kind == "fence" or (op.kind, op.name) == (
            "release",
            "watched_lock",
        )
        return is_fence and self.rules.without == f"fence of the {side}"

    def _end(self, state: State) -> Iterator[tuple[Step, State]]:
        """
        Close what the dead one had, as the system does.
        """
        program = int(self.rules.dies == "server")
        if state.get("dead") == "ended" or state.queues[program]:
            return
        state = state.put("dead", "ended")
        for lane in range(self.lanes):
            if program:
                state = state.put("hung up", True, lane)
            elif lane < state.get("lanes") and not state.get("closed", lane):
                state = state.put("closed", True, lane).ring(lane, hung_up=True)
        yield Step(program, "end"), state

    # -- what is right ---------------------------------------------------------------

    def problem(self, state: State) -> str:
        """
        Say what is wrong with a state, or nothing.
        """
        begun, undone = state.get("begun"), state.get("undone")
        if state.get("broken"):
            return str(state.get("broken"))
        if len(set(begun)) < len(begun):
            return "a request is served twice"
        if any(self.rules.plan[n : n + 1] == ("large",) for n in begun):
            return "a request is served that was not sent"
        if len(set(undone)) < len(undone):
            return "a grant is taken back twice"
        if set(undone) & set(state.get("acknowledged")):
            return "a grant is taken back that was acknowledged"
        if not self.is_settled(state) or (
            self.rules.dies == "server" and state.get("dead")
        ):
            return ""
        kept = {*undone, *state.get("acknowledged")}
        return "a grant is lost" if set(state.get("granted")) - kept else ""

    def is_settled(self, state: State) -> bool:
        """
        Say whether nobody waits for anybody: all that can come is a new request.
        """
        if any(state.queues) or state.programs[CLIENT] or state.programs[HOLDER]:
            return False
        if state.get("dead") is True:
            return False
        ops = [self.ops[stack[-1]] for stack in state.programs[1:] if stack]
        return not ops or (
            not state.get("bells") and all((op.kind, op.name) in AT_REST for op in ops)
        )

    def visit(self) -> Visited:
        """
        Visit all states, or those up to the first that is wrong, breadth first.
        """
        numbers = {self.start: 0}
        states = [self.start]
        came: list[tuple[int, Step] | None] = [None]
        before: list[list[int]] = [[]]
        wrong: int | None = None
        number = 0
        while number < len(states):
            state = states[number]
            steps = list(self.steps(state))
            if not steps and not self.is_settled(state):
                return Visited(states, came, number, "a wait has no end")
            for step, after in steps:
                to = numbers.get(after)
                if to is None:
                    to = numbers[after] = len(states)
                    states.append(after)
                    came.append((number, step))
                    before.append([])
                    if self.problem(after):
                        return Visited(states, came, to, self.problem(after))
                if step.what not in ("give up", "die"):
                    before[to].append(number)
            number += 1
        # Whoever cannot get from a state to an end, without another signal or death,
        # waits for ever.
        ends = [i for i, state in enumerate(states) if self.is_settled(state)]
        live = set(ends)
        while ends:
            for i in before[ends.pop()]:
                if i not in live:
                    live.add(i)
                    ends.append(i)
        wrong = next((i for i in range(len(states)) if i not in live), None)
        return Visited(
            states, came, wrong, "" if wrong is None else "a wait has no end"
        )

    def after(self, state: State, step: Step) -> State:
        """
        Give the state after a step that may happen.
        """
        return next(after for one, after in self.steps(state) if one == step)

    def walk(self, chance: random.Random) -> list[Step]:
        """
        Give the steps of one run, which chance decides, until nothing can happen.
        """
        state, trace = self.start, []
        holder = len(state.programs) - 1
        while not self.is_settled(state) and (steps := list(self.steps(state))):
            # Mostly the lock is still held when the client comes to claim it.
            others = [one for one in steps if one[0].program != holder]
            if 0 < len(others) < len(steps) and chance.random() < HOLDS:
                steps = others
            step, state = chance.choice(steps)
            trace.append(step)
        return trace


class Visited(NamedTuple):
    """
    What a search found.
    """

    states: list[State]
    #: The state before each one, and the step from there.
    came: list[tuple[int, Step] | None]
    wrong: int | None
    problem: str

    def trace(self, number: int) -> list[Step]:
        """
        Give the steps to a state, as few as there are.
        """
        steps = []
        while (came := self.came[number]) is not None:
            number, step = came
            steps.append(step)
        return steps[::-1]
