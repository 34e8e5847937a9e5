"""
The operations of a worker: each is run under the stepper, and judged afterwards.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from duck_jupyter import ProxyClosed, ProxyError, detach, fetch, locked
from duck_jupyter.transport.lanes import OFFERED
from tests.support.processes import wait_until

from .bench import HUGE, ITEMS, LARGE, NUMBERS, is_array, pattern, receipt
from .operation import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.workers import Worker

    from .bench import Bench, Kit
    from .endings import Ending

#: Seconds in which what was interrupted has to be given back.
GIVEN_BACK_S = 0.5
#: Seconds in which what a worker dropped has to be gone.
FORGOTTEN_S = 3.0


class Get(Operation):
    """
    The value is another one at each step.
    """

    def prepare(self, bench: Bench, tag: str) -> Any:
        bench.desk.value = f"value of {tag}"
        return bench.desk.value

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return kit.desk.value

    def expected(self, tag: str, given: Any) -> Any:
        return given


class Set(Operation):
    applies = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        kit.desk.value = tag
        return tag


class Method(Operation):
    applies = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return kit.desk.add(tag)


class SlowMethod(Operation):
    """
    The answer comes later than a caller looks for it.
    """

    large = True
    applies = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return kit.desk.add_slowly(tag)


class LargeAnswer(Operation):
    applies = True
    large = True
    size = LARGE

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return kit.desk.give(tag, self.size)

    def expected(self, tag: str, given: Any) -> Any:
        return pattern(tag, self.size)


class HugeAnswer(LargeAnswer):
    size = HUGE


class LargeArgument(Operation):
    applies = True
    large = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return kit.desk.take(tag, pattern(tag, LARGE))

    def expected(self, tag: str, given: Any) -> Any:
        return receipt(tag, pattern(tag, LARGE))


class WiderBuffer(LargeAnswer):
    """
    The answer does not fit, and the thread changes to the lane that it is offered.
    """

    def before(self, kit: Kit, tag: str) -> None:
        kit.desk.echo(tag)
        (*_, channel) = kit.desk._duck_link.thread.idle
        channel.lane.words[OFFERED] = 2 * channel.lane.bufsize


class Show(Operation):
    """
    People look at a proxy.
    """

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return repr(kit.numbers).startswith("<proxy>-")

    def expected(self, tag: str, given: Any) -> Any:
        return True


class Chained(Operation):
    """
    An object that nobody holds any more is gone, also where its proxy never arrived.
    """

    large = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return kit.desk.make_child(tag).tag

    def check(
        self, bench: Bench, rival: Worker, given: Any, ending: Ending
    ) -> Iterator[str]:
        if not wait_until(lambda: not bench.desk.children, FORGOTTEN_S):
            yield "the kernel keeps an object of which no process has a proxy"


class IterateList(Operation):
    large = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return list(kit.numbers)

    def expected(self, tag: str, given: Any) -> Any:
        return NUMBERS


class IterateGenerator(Operation):
    """
    Each item goes to one worker, and none is lost.
    """

    large = True
    takes = True

    def prepare(self, bench: Bench, tag: str) -> Any:
        return bench.renew_stream(tag)

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        for item in kit.stream:
            got.append(item)  # noqa: PERF402 - an interrupt keeps what came before it
        return len(got)

    def expected(self, tag: str, given: Any) -> Any:
        return ITEMS

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        got += kit.stream

    def check(
        self, bench: Bench, rival: Worker, given: Any, ending: Ending
    ) -> Iterator[str]:
        if ending.killed:
            return
        if ending.got != given:
            short = [str(item).rpartition("/")[2] for item in ending.got]
            yield f"items 0 to {ITEMS - 1} were to come once each, not {short}"


class QueueGet(Operation):
    """
    An item is in the queue again, or was returned.
    """

    takes = True

    def prepare(self, bench: Bench, tag: str) -> Any:
        bench.queue.put(tag)

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return kit.queue.get()

    def check(
        self, bench: Bench, rival: Worker, given: Any, ending: Ending
    ) -> Iterator[str]:
        found: list[str] = []
        try:
            if not ending.returned and not ending.killed:
                found.append(bench.queue.get(timeout=GIVEN_BACK_S))
            while True:
                found.append(bench.queue.get_nowait())
        except queue.Empty:
            pass
        if ending.killed:
            # What a killed worker took may come back, also later, and once.
            if len(set(found)) < len(found):
                yield f"the queue has items twice: {found}"
            return
        right = [] if ending.returned else [ending.tag]
        if found != right:
            yield f"the queue was to hold {right} afterwards, not {found}"


class Locked(Operation):
    applies = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        with locked(kit.desk) as desk:
            return desk.add(tag)


class WithLock(Operation):
    lock = "lock"

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        with getattr(kit, self.lock or ""):
            got.append(tag)
        return tag


class WithRlock(WithLock):
    """
    Its steps are those of another lock, so that a part of them does.
    """

    large = True
    lock = "rlock"


class Acquire(Operation):
    """
    Who was interrupted in ``acquire`` does not have the lock.
    """

    lock = "lock"
    takes = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        kit.lock.acquire()
        return tag

    def finish(self, kit: Kit, tag: str, got: list[Any]) -> None:
        kit.lock.release()


class Release(Operation):
    """
    Who was interrupted in ``release`` tries again.
    """

    lock = "lock"

    def before(self, kit: Kit, tag: str) -> None:
        kit.lock.acquire()

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        kit.lock.release()
        return tag

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        # It may be released already.
        with contextlib.suppress(RuntimeError, ProxyError):
            kit.lock.release()


class WithProxy(Operation):
    """
    A block of the proxy itself, at whose end the process disconnects.
    """

    applies = True
    large = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        with kit.desk as desk:
            return desk.add(tag)


class FirstCall(Operation):
    """
    A thread that is new, in a process without a spare connection, connects.
    """

    applies = True
    large = True
    fresh_thread = True

    def before(self, kit: Kit, tag: str) -> None:
        with kit.desk:
            pass

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return kit.desk.add(tag)


class Close(Operation):
    """
    A proxy is unpickled, and closed.
    """

    def prepare(self, bench: Bench, tag: str) -> Any:
        return bytes(ForkingPickler.dumps(bench.kit.desk))

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        proxy = pickle.loads(given)
        got.append(proxy)
        detach(proxy)
        return tag

    def finish(self, kit: Kit, tag: str, got: list[Any]) -> None:
        got.clear()  # a closed proxy does not travel

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        for proxy in got:
            try:
                if proxy.echo(tag) != tag:
                    raise AssertionError("the proxy gives a wrong answer")
            except ProxyClosed:
                pass
            detach(proxy)
        got.clear()


class Fetch(Operation):
    large = True

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return is_array(fetch(kit.array))

    def expected(self, tag: str, given: Any) -> Any:
        return True

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        if not is_array(fetch(kit.array)):
            raise AssertionError("the next fetch gives another array")


class TakeHandedOver(Operation):
    """
    The worker's side of passing an array to a pool; a handle is for one worker.
    """

    large = True

    def prepare(self, bench: Bench, tag: str) -> Any:
        return [bytes(ForkingPickler.dumps(bench.array)) for _ in range(2)]

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        return is_array(pickle.loads(given[0]))

    def expected(self, tag: str, given: Any) -> Any:
        return True

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        if not is_array(pickle.loads(given[1])):
            raise AssertionError("the next handle gives another array")


#: All of them; those of an owner are in `owning`.
OPERATIONS: list[type[Operation]] = [
    Get,
    Set,
    Method,
    SlowMethod,
    Locked,
    WithLock,
    WithRlock,
    Acquire,
    Release,
    QueueGet,
    Close,
    LargeAnswer,
    HugeAnswer,
    LargeArgument,
    WiderBuffer,
    Show,
    Chained,
    IterateList,
    IterateGenerator,
    WithProxy,
    FirstCall,
    Fetch,
    TakeHandedOver,
]
