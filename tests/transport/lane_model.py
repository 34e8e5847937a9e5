"""
A model of a lane's protocol: what each side does, one load and one store at a time.

The methods of `Model` repeat the code of both sides line by line: `call` is
`Channel.call`, `poll` is `Poller.poll`, and so on. They are generators: each
yields an operation and gets its result. "get" and "put" are private to the thread that
runs; every other operation may be seen by others, and is a step of its own.

`lane_state` says what an operation does, and `lane_search` visits all states.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from duck_jupyter.server.spin import MANY
from duck_jupyter.transport.lanes import (
    FIRST_OF_SEQUENCE,
    IDLE,
    PHASE,
    POSTED,
    REPLIED,
    SEQUENCE,
    TAKEN,
)

from .lane_state import GiveUp, Op, Rules, get, load, own, put, store

__all__ = ["Model", "Program"]

Program = Generator[Op, Any, Any]
STATE, WAITING, WATCHED, LENGTH = "STATE", "WAITING", "WATCHED", "LENGTH"


class Model:
    """
    The programs of a client thread, of a server's threads, and of who frees a lock.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    # -- the client: Link._exchange and Channel.call -------------------------------

    def client(self) -> Program:
        n = 0
        while n < len(self.rules.plan) and (yield from self.exchange(n)):
            n += 1

    def exchange(self, n: int) -> Program:
        idle = yield get("idle")
        if idle:
            lane = idle[-1]
            yield put("idle", idle[:-1])
        else:
            lane = yield Op("connect")
        try:
            if self.rules.plan[n : n + 1] == ("large",):
                yield load(lane, STATE)
                end = "refused"
            else:
                end = yield from self.call(lane, n)
        except GiveUp:
            end = "given up"
        if end == "gone" or (end == "given up" and self.rules.without != "close"):
            yield Op("close", lane=lane)
            return end != "gone"
        idle = yield get("idle")
        yield put("idle", (*idle, lane))
        if end == "granted":
            seq = yield get("seq", lane)
            yield Op("acknowledge", STATE, lane, seq | IDLE)
        return True

    def call(self, lane: int, n: int) -> Program:
        yield store(lane, LENGTH, ("request", n, False))
        seq = yield get("seq", lane)
        seq = (seq + FIRST_OF_SEQUENCE) & SEQUENCE
        yield put("seq", seq, lane)
        yield store(lane, STATE, seq | POSTED)
        watched = yield load(lane, WATCHED)
        if not watched:
            yield from self.ring(lane)
        among_many = watched > 1
        trusts = watched > 0 and self.rules.without == "second look at WATCHED"
        del watched
        if (yield load(lane, STATE)) != seq | REPLIED:
            end = yield from self.wait_on(lane, seq | REPLIED, among_many, trusts)
            if end == "given up":
                raise GiveUp
            if end == "gone":
                return end
        size = yield load(lane, LENGTH)
        if size[2]:
            yield store(lane, LENGTH, (size[0], size[1], False))
            yield load(lane, LENGTH)
        yield Op("got", "", lane, (n, size))
        return "granted" if size[2] else "answered"

    def ring(self, lane: int) -> Program:
        if self.rules.without != "bell of a request":
            yield Op("ring", "server", lane)

    def wait_on(
        self, lane: int, answered: int, among_many: bool, trusts: bool
    ) -> Program:
        if among_many:
            if (yield load(lane, STATE)) == answered:
                return "answered"
            yield load(lane, WATCHED)  # it ends the look, which is one turn here
        return (yield from self.block(lane, answered, trusts))

    def block(self, lane: int, answered: int, trusts: bool) -> Program:
        yield store(lane, WAITING, 1)
        yield Op("fence", "client", lane)
        end = "answered"
        try:
            if self.rules.without != "second look at WATCHED":
                trusts = (yield load(lane, WATCHED)) > 0
            if self.rules.without == "look before it blocks":
                yield Op("poll", "RECHECK_S", lane)
            while (yield load(lane, STATE)) != answered:
                wait = "TRUST_S" if trusts else "RECHECK_S"
                if not trusts and (yield load(lane, STATE)) & PHASE == POSTED:
                    yield from self.ring(lane)
                trusts = False
                if (
                    (yield Op("poll", wait, lane))
                    and not (yield Op("hear", "client", lane))
                    and (yield load(lane, STATE)) != answered
                ):
                    end = "gone"
                    break
        except GiveUp:
            end = "given up"
        yield store(lane, WAITING, 0)
        return end

    # -- the server's threads: Loop ------------------------------------------------

    def server(self, me: int) -> Program:
        while True:
            yield Op("acquire", "post")
            called = yield from self.wait_for_bells()
            yield Op("release", "post")
            yield from self.poll(me, called)
            del called

    def wait_for_bells(self) -> Program:
        called: tuple[tuple[int, bool], ...] = ()
        while not called:
            called = yield from self.hear_bells()
        for lane, _ in called[1:]:
            yield from self.leave(lane)
        return called

    def hear_bells(self) -> Program:
        rang = yield Op("bells")
        if not rang:
            return (yield from self.find_stuck())
        called: tuple[tuple[int, bool], ...] = ()
        for lane, hung_up in rang:
            if hung_up or not (yield from self.is_looked_after(lane)):
                called = (*called, (lane, hung_up))
        return called

    def is_looked_after(self, lane: int) -> Program:
        if (yield get("looker")) is None or (yield get("inside")) is not None:
            return False
        if not (yield load(lane, WATCHED)):
            return False
        yield from self.leave(lane)
        return True

    def leave(self, lane: int) -> Program:
        state = yield load(lane, STATE)
        if state & PHASE == POSTED:
            left = yield get("left")
            yield put("left", tuple({**dict(left), lane: state}.items()))

    def find_stuck(self) -> Program:
        left = yield get("left")
        yield put("left", ())
        called: tuple[tuple[int, bool], ...] = ()
        for lane, state in left:
            if (yield load(lane, STATE)) == state:
                called = (*called, (lane, False))
        return called

    def poll(self, me: int, called: tuple[tuple[int, bool], ...]) -> Program:
        yield put("looker", me)
        for lane, must_hear in called:
            if must_hear and not (yield Op("hear", "server", lane)):
                yield from self.become("remove", lane)
                yield from self.lose(lane)
            elif (yield from self.answer(me, lane)) and (yield get("looker")) == me:
                yield from self.become("add", lane)
        if (yield get("looker")) == me:
            yield from self.look(me)
        if (yield get("looker")) == me:
            yield put("looker", None)
        if (yield get("looker")) is None:
            lanes = yield from self.become("clear")
            if self.rules.without != "look after the last one":
                yield from self.catch_up(me, lanes)

    def answer(self, me: int, lane: int) -> Program:
        if (yield load(lane, STATE)) & PHASE != POSTED:
            return False
        got = yield Op("try", "claim", lane)
        if not got and not (yield from self.wait_for_claim(me, lane)):
            return False
        if (yield load(lane, STATE)) & PHASE != POSTED:
            yield Op("release", "claim", lane)
            return False
        yield from self.serve(me, lane)
        return True

    def wait_for_claim(self, me: int, lane: int) -> Program:
        if not (yield Op("try", "next_claim", lane)):
            return False
        yield put("inside", me)
        got = False
        while not got and (yield load(lane, STATE)) & PHASE == POSTED:
            if (yield Op("see", "gone", lane)):
                break
            got = yield Op("wait a little", "claim", lane)
        yield Op("release", "next_claim", lane)
        if (yield get("inside")) == me:
            yield put("inside", None)
        return got

    def look(self, me: int) -> Program:
        idle = False
        while (yield get("looker")) == me:
            if (yield from self.look_at_all(me)):
                idle = False
            elif (yield Op("clock", value=idle)):
                break
            else:
                idle = True

    def look_at_all(self, me: int) -> Program:
        hit = False
        watched = yield get("watched")
        for lane in watched:
            if (yield load(lane, STATE)) & PHASE != POSTED:
                continue
            if (yield Op("try", "claim", lane)):
                if (yield load(lane, STATE)) & PHASE == POSTED:
                    yield from self.serve(me, lane)
                    hit = True
                else:
                    yield Op("release", "claim", lane)
        return hit

    def catch_up(self, me: int, lanes: tuple[int, ...]) -> Program:
        for lane in lanes:
            yield Op("fence", "server", lane)
            if (yield load(lane, STATE)) & PHASE == POSTED:
                yield from self.answer(me, lane)

    def become(self, how: str, lane: int = -1) -> Program:
        yield Op("acquire", "watched_lock")
        before = yield get("watched")
        if how == "clear":
            yield from self.drop(before, before)
        elif how == "remove":
            yield from self.drop(before, (lane,))
        elif not (yield Op("see", "gone", lane)) and lane not in before:
            yield put("watched", (*before, lane))
            yield store(lane, WATCHED, min(len(before) + 1, MANY))
            if len(before) + 1 == MANY:
                yield store(before[0], WATCHED, MANY)
        yield Op("release", "watched_lock")
        return before

    def drop(self, before: tuple[int, ...], lanes: tuple[int, ...]) -> Program:
        gone = tuple(sorted({*before} & {*lanes}))
        if not gone:
            return
        rest = tuple(one for one in before if one not in gone)
        yield put("watched", rest)
        for one in gone:
            yield store(one, WATCHED, 0)
        if len(rest) == 1:
            yield store(rest[0], WATCHED, 1)

    # -- the server's answers: Serving and Caller -----------------------------------

    def serve(self, me: int, lane: int) -> Program:
        yield put("inside", me)
        if (yield get("grants", lane)):
            yield Op("set", "grants", lane, ())
        state = yield own(lane, STATE)
        yield store(lane, STATE, (state & SEQUENCE) | TAKEN)
        _, n, _ = yield own(lane, LENGTH)
        state = yield own(lane, STATE)
        kind = (*self.rules.plan, self.rules.nested)[n]
        if kind == "lock":
            yield Op("grant", "", lane, n)
            has_answer = yield from self.lock(lane, n)
        else:
            has_answer = yield Op("call", kind, lane, n)
            if kind == "item":
                yield Op("grant", "", lane, n)
        if has_answer:
            if (yield get("grants", lane)):
                yield from self.reply(lane, n)
            else:
                yield store(lane, LENGTH, ("answer", n, False))
                yield store(lane, STATE, state + REPLIED - TAKEN)
            yield from self.hand_back(lane)
        if (yield get("inside")) == me:
            yield put("inside", None)

    def reply(self, lane: int, n: int) -> Program:
        grants = yield get("grants", lane)
        yield store(lane, LENGTH, ("answer", n, False))
        if grants:
            yield own(lane, LENGTH)
            yield store(lane, LENGTH, ("answer", n, True))
        state = yield own(lane, STATE)
        yield store(lane, STATE, (state & SEQUENCE) | REPLIED)

    def hand_back(self, lane: int) -> Program:
        yield Op("release", "claim", lane)
        if (yield load(lane, WAITING)) and self.rules.without != "bell of an answer":
            yield Op("ring", "client", lane)
        if (yield Op("see", "gone", lane)):
            yield from self.end(lane)

    def lose(self, lane: int) -> Program:
        yield Op("set", "gone", lane, True)
        yield Op("hang up", "", lane)
        yield from self.end(lane)

    def end(self, lane: int) -> Program:
        phase = (yield load(lane, STATE)) & PHASE
        if phase == POSTED and self.rules.without == "answer to who went":
            phase = IDLE
        if phase in (TAKEN, REPLIED) or self.rules.without == "acknowledgement":
            while (yield get("grants", lane)):
                n = yield Op("undo", "", lane)
                if self.rules.plan[n : n + 1] == ("lock",):
                    yield from self.give_up(n)
        elif phase == IDLE:
            yield Op("set", "grants", lane, ())

    # -- the lock of the object: Desk and ObjectLocks -------------------------------

    def lock(self, lane: int, n: int) -> Program:
        yield Op("acquire", "locks")
        yield put("begun", (*(yield get("begun")), n))
        waits = yield get("held")
        if waits:
            yield from self.become("remove", lane)
            yield put("waits", (lane, n))
        else:
            yield put("granted", (*(yield get("granted")), n))
        yield Op("release", "locks")
        if (
            n not in (yield get("grants", lane))
            and self.rules.without != "second look at claims"
        ):
            yield from self.give_up(n)  # it was taken back meanwhile
        return not waits

    def give_up(self, n: int) -> Program:
        yield Op("acquire", "locks")
        if (yield get("waits"))[1] == n:
            yield put("waits", (None, -1))
        elif n in (yield get("granted")) and n not in (yield get("undone")):
            yield put("undone", (*(yield get("undone")), n))
        yield Op("release", "locks")

    def holder(self) -> Program:
        yield Op("acquire", "locks")
        lane, n = yield get("waits")
        yield put("held", False)
        yield put("waits", (None, -1))
        if lane is not None:
            yield put("granted", (*(yield get("granted")), n))
        yield Op("release", "locks")
        if lane is not None:
            if (yield get("looker")) is not None:
                yield from self.become("add", lane)
            yield from self.reply(lane, n)
            yield from self.hand_back(lane)
