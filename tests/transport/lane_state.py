"""
The states of `lane_model`, and what its operations do to them.

Memory is that of x86. A store waits in the queue of its process until a "flush"; the
same process sees it at once. Fences, locks and system calls wait until the queue is
empty. The threads of a server share a queue, because they share the interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CLIENT",
    "HOLDER",
    "GiveUp",
    "Op",
    "Rules",
    "State",
    "Step",
    "get",
    "load",
    "own",
    "put",
    "results",
    "store",
]

#: The numbers of two programs; between them are the server's threads.
CLIENT, HOLDER = 0, -1
OF_ALL: dict[str, Any] = {
    # The server: its locks and variables, and whose bells have rung: (lane, hung up).
    **dict.fromkeys(("post", "watched_lock", "locks", "looker", "inside"), None),
    **dict.fromkeys(("watched", "left", "bells"), ()),
    # The lock of the object: whether the holder has it, and who waits for it.
    "held": True,
    "waits": (None, -1),
    # The client: lanes that no call uses, and how many there are.
    "idle": (),
    "lanes": 0,
    # What may happen once, and has happened.
    **dict.fromkeys(("nested", "gave up", "dead"), False),
    # The numbers of the requests that came so far.
    **dict.fromkeys(("begun", "got", "granted", "acknowledged", "undone"), ()),
    "broken": "",
}
OF_A_LANE: dict[str, Any] = {
    **dict.fromkeys(("STATE", "WAITING", "WATCHED", "seq"), 0),
    "LENGTH": ("nothing", -1, False),
    # The bell has rung for the client; its end was closed, or the server's.
    **dict.fromkeys(("rung", "closed", "hung up", "gone"), False),
    **dict.fromkeys(("claim", "next_claim"), None),
    "grants": (),
}
INDEX = {(name, -1): i for i, name in enumerate(OF_ALL)}
for _lane in range(3):
    INDEX |= {(name, _lane): len(INDEX) + i for i, name in enumerate(OF_A_LANE)}


class GiveUp(BaseException):
    """
    A signal or a timeout that cuts a call short.
    """


class Op(NamedTuple):
    """
    What a thread does next: to which word, lock or variable, and of which lane.
    """

    kind: str
    name: str = ""
    lane: int = -1
    value: Any = None


def get(name: str, lane: int = -1) -> Op:
    return Op("get", name, lane)


def put(name: str, value: Any, lane: int = -1) -> Op:
    return Op("put", name, lane, value)


def load(lane: int, word: str) -> Op:
    return Op("load", word, lane)


def own(lane: int, word: str) -> Op:
    """
    Load a word that nobody else writes at this moment.
    """
    return Op("load", word, lane, "own")


def store(lane: int, word: str, value: Any) -> Op:
    return Op("store", word, lane, value)


class Rules(NamedTuple):
    """
    How long a run is, what may go wrong in it, and what the protocol lacks.
    """

    #: The requests: "plain", "item" (it grants one), "lock" (it grants one, later if
    #: another holds it), "large" (it cannot be sent), "waits" (for the nested one).
    plan: tuple[str, ...]
    #: Threads of the server.
    threads: int = 2
    #: Stores of the server wait in a queue as well.
    queues: bool = False
    #: The kind of a request that is made inside another one's call, once.
    nested: str = ""
    gives_up: bool = False
    #: Who may die: "client", "server", or nobody.
    dies: str = ""
    #: The waits that end by themselves: the client's two, and the server's.
    timeouts: tuple[str, ...] = ("LEFT_S", "TRUST_S")
    #: What is left out, so that a test sees that the search finds it.
    without: str = ""


class State(NamedTuple):
    """
    All that there is at one moment.
    """

    cells: tuple[Any, ...]
    #: Stores of the client, and of the server, that are not in memory yet.
    queues: tuple[tuple[Op, ...], tuple[Op, ...]]
    #: Where each program is: the client, which may be inside another one, the threads
    #: of the server, and the holder of the lock.
    programs: tuple[tuple[int, ...], ...]

    def get(self, name: str, lane: int = -1) -> Any:
        return self.cells[INDEX[name, lane]]

    def put(self, name: str, value: Any, lane: int = -1) -> State:
        i = INDEX[name, lane]
        cells = (*self.cells[:i], value, *self.cells[i + 1 :])
        return State(cells, self.queues, self.programs)

    def add(self, name: str, *values: Any) -> State:
        return self.put(name, self.get(name) + values)

    def queue(self, side: int, stores: tuple[Op, ...]) -> State:
        queues = (self.queues[0], stores) if side else (stores, self.queues[1])
        return State(self.cells, queues, self.programs)

    def at(self, program: int, stack: tuple[int, ...]) -> State:
        programs = list(self.programs)
        programs[program] = stack
        return State(self.cells, self.queues, tuple(programs))

    def ring(self, lane: int, *, hung_up: bool = False) -> State:
        """
        Let the server hear a bell, once, or that the client's end was closed.
        """
        bells = dict(self.get("bells"))
        bells[lane] = hung_up or bells.get(lane, False)
        return self.put("bells", tuple(bells.items()))


class Step(NamedTuple):
    """
    What a program does, or what is done to it.
    """

    program: int
    #: "do", "flush" (a store), "give up", "nest", "die", "end" (close what it had).
    what: str
    op: Op = Op("")
    result: Any = None


def results(
    rules: Rules, state: State, program: int, op: Op
) -> Iterator[tuple[Any, State]]:
    """
    Give what an operation may result in; nothing while it has to wait.
    """
    kind, name, lane, value = op
    side = int(program != CLIENT)
    match kind:
        case "load":
            found = state.get(name, lane)
            for waiting in state.queues[side]:
                if waiting[1:3] == (name, lane):
                    found = waiting.value
            yield found, state
        case "store" | "acknowledge":
            if kind == "acknowledge":
                state = state.add("acknowledged", state.get("got")[-1])
            if side == CLIENT and state.get("closed", lane):
                state = state.put("broken", "a lane is used that was given up")
            if side == CLIENT or rules.queues:
                store = Op("store", name, lane, value)
                yield None, state.queue(side, (*state.queues[side], store))
            else:
                yield None, state.put(name, value, lane)
        case "fence":
            yield None, state
        case "see":
            yield state.get(name, lane), state
        case "set":
            yield None, state.put(name, value, lane)
        case "ring" if name == "client":
            yield None, state.put("rung", True, lane)
        case "ring":
            yield None, state if state.get("gone", lane) else state.ring(lane)
        case "hear" if name == "client":
            yield not state.get("hung up", lane), state.put("rung", False, lane)
        case "hear":
            yield not state.get("closed", lane), state
        case "poll":
            if state.get("rung", lane) or state.get("hung up", lane):
                yield True, state
            elif name in rules.timeouts:
                yield False, state
        case "bells":
            if bells := state.get("bells"):
                yield bells, state.put("bells", ())
            elif state.get("left") and "LEFT_S" in rules.timeouts:
                yield (), state
        case "acquire" | "try" | "wait a little":
            if state.get(name, lane) is None:
                yield True, state.put(name, program, lane)
            elif kind != "acquire":
                yield False, state
        case "release":
            yield None, state.put(name, None, lane)
        case "clock":
            yield False, state
            if value:
                yield True, state
        case "connect":
            lane = state.get("lanes")
            yield lane, state.put("lanes", lane + 1)
        case "close":
            yield None, state.put("closed", True, lane).ring(lane, hung_up=True)
        case "hang up":
            yield None, state.put("hung up", True, lane)
        case "call":
            if name != "waits" or len(rules.plan) in state.get("begun"):
                state = state.add("begun", value)
                yield True, state.add("granted", value) if name == "item" else state
        case "grant":
            yield (
                None,
                state.put("grants", (*state.get("grants", lane), value), lane),
            )
        case "undo":
            yield _undo(rules, state, lane)


def _undo(rules: Rules, state: State, lane: int) -> tuple[int, State]:
    grants = state.get("grants", lane)
    if not grants:
        return len(rules.plan), state  # another thread was quicker
    *others, n = grants
    state = state.put("grants", tuple(others), lane)
    # A claim to the lock is given up in steps of its own.
    is_lock = rules.plan[n : n + 1] == ("lock",)
    return n, state if is_lock else state.add("undone", n)
