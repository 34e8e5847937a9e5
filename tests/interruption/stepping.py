"""
Inside the worker: run an operation and act at one of its steps, then look around.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .bench import LARGE, pattern, receipt
from .census import take_census
from .endings import Ending
from .steps import At, Cut, Step, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .bench import Kit
    from .operation import Operation

#: The longest that one of the next calls may take, in seconds. A bell that got lost
#: costs a second.
IN_TIME_S = 0.9


def inner_tag(tag: str) -> str:
    """
    Give the tag of the call inside another.
    """
    return f"{tag}/inner"


def survey(operation: Operation, kit: Kit, tag: str, given: Any) -> list[Step]:
    """
    Run an operation, and give its steps.
    """
    found = Survey(operation.folder)

    def body() -> None:
        got: list[Any] = []
        operation.before(kit, tag)
        value = found.run(lambda: operation.run(kit, tag, given, got))
        operation.finish(kit, tag, got)
        if value != operation.expected(tag, given):
            raise AssertionError(f"{operation.name} gives {shorten(value)}")
        # What it finds has to be what it finds where a step is cut.
        for fault in follow_up(kit, tag):
            raise AssertionError(fault)

    in_thread(operation, body)
    return found.steps()


def cut_at(operation: Operation, kit: Kit, tag: str, given: Any, step: Step) -> Ending:
    """
    Run an operation, raise `Cut` at a step, and look around.
    """
    cut = Cut(tag)

    def act() -> None:
        raise cut

    return look_around(operation, kit, tag, given, At(operation.folder, step, act), cut)


def call_at(
    operation: Operation, kit: Kit, tag: str, given: Any, step: Step, large: bool
) -> Ending:
    """
    Run an operation, make another call at a step, and look around.

    Args:
        operation: The operation.
        kit: What it works with.
        tag: The tag of the run.
        given: What it is given.
        step: Where.
        large: The other call has a large argument.
    """
    faults: list[str] = []
    inner = inner_tag(tag)
    data = pattern(inner, LARGE)

    def act() -> None:
        try:
            value = kit.desk.take(inner, data) if large else kit.desk.add(inner)
        except BaseException as error:  # the operation must not notice
            faults.append(f"the call inside raised {describe(error)}")
        else:
            if value != (receipt(inner, data) if large else inner):
                faults.append(f"the call inside gave {shorten(value)}")

    at = At(operation.folder, step, act)
    ending = look_around(operation, kit, tag, given, at, None)
    ending.faults[:0] = faults
    if operation.in_owner and kit.desk.times(inner) != ending.reached:
        ending.faults.append("the call inside was not applied once")
    return ending


def die_at(
    operation: Operation, kit: Kit, givens: list[Any], tag: str, step: Step
) -> None:
    """
    Run an operation once as it is, and once until this process is killed at a step.
    """

    def act() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def body() -> None:
        warm = f"{tag}/warm"
        operation.before(kit, warm)
        operation.run(kit, warm, givens[0], [])
        operation.finish(kit, warm, [])
        operation.before(kit, tag)
        at = At(operation.folder, step, act)
        at.run(lambda: operation.run(kit, tag, givens[1], []))
        operation.finish(kit, tag, [])

    in_thread(operation, body)


def look_around(
    operation: Operation, kit: Kit, tag: str, given: Any, at: At, cut: Cut | None
) -> Ending:
    """
    Run an operation with an action at a step, and make the next calls.
    """
    ending = Ending(tag)

    def body() -> None:
        operation.before(kit, tag)
        with unheard() as noises:
            run_once(operation, kit, given, at, cut, ending)
        judge_noises(noises, cut, ending)
        if cut is not None:
            # Its frames still hold what the operation had.
            cut.__traceback__ = None
        try:
            if ending.returned:
                operation.finish(kit, tag, ending.got)
            else:
                operation.after(kit, tag, given, ending.got)
        except BaseException as error:  # whatever it is, it is reported
            ending.faults.append(f"afterwards came {describe(error)}")
        ending.faults += follow_up(kit, tag)

    in_thread(operation, body)
    ending.held = take_census()
    return ending


def run_once(
    operation: Operation, kit: Kit, given: Any, at: At, cut: Cut | None, ending: Ending
) -> None:
    """
    Run an operation with an action at a step, and note how it ended.
    """
    try:
        value = at.run(lambda: operation.run(kit, ending.tag, given, ending.got))
    except BaseException as error:  # whatever it is, it is reported
        if error is not cut:
            instead = "" if cut is None else " instead of what was raised"
            ending.faults.append(f"it raised {describe(error)}{instead}")
    else:
        ending.returned = True
        if value != operation.expected(ending.tag, given):
            ending.faults.append(f"it gave {shorten(value)}")
    ending.reached = at.reached
    ending.chain = at.chain
    if ending.returned and at.reached and cut is not None and not at.in_destructor:
        ending.faults.append(SWALLOWED)


SWALLOWED = "it returned though an exception was raised in it"


def judge_noises(
    noises: list[tuple[BaseException | None, str]], cut: Any, ending: Ending
) -> None:
    """
    Note what was raised where nobody hears it, but for what destructors cannot raise.
    """
    for error, text in noises:
        if error is not None and error is cut and "destructor" in text:
            # A destructor can only report it: Python's own rule.
            ending.faults[:] = [fault for fault in ending.faults if fault != SWALLOWED]
        else:
            ending.faults.append(text)


@contextmanager
def unheard() -> Iterator[list[tuple[BaseException | None, str]]]:
    """
    Gather what is raised where nobody hears it, in destructors and threads.
    """
    noises: list[tuple[BaseException | None, str]] = []
    hooks = sys.unraisablehook, threading.excepthook

    def on_unraisable(args: Any) -> None:
        name = getattr(args.object, "__qualname__", type(args.object).__name__)
        is_end = name.endswith("__del__") or type(args.object).__name__ == "generator"
        where = f"the destructor {name}" if is_end else name
        noises.append(
            (args.exc_value, f"unheard in {where}: {describe(args.exc_value)}")
        )

    def on_thread(args: Any) -> None:
        name = getattr(args.thread, "name", "?")
        noises.append((None, f"thread {name} ended: {describe(args.exc_value)}"))

    sys.unraisablehook, threading.excepthook = on_unraisable, on_thread
    try:
        yield noises
    finally:
        sys.unraisablehook, threading.excepthook = hooks
        for error, _ in noises:
            if error is not None:
                error.__traceback__ = None


def follow_up(kit: Kit, tag: str) -> Iterator[str]:
    """
    Make the next three calls, and say what is wrong with them.
    """
    size = LARGE // 2 + len(tag) * 1000 + sum(tag.encode()) % 997
    for number, words in enumerate((f"{tag}/one", f"{tag}/two", f"{tag}/three"), 1):
        sent: Any = pattern(words, size) if number == 2 else words
        started = time.monotonic()
        try:
            got = kit.desk.echo(sent)
        except BaseException as error:  # whatever it is, it is reported
            yield f"call {number} after it raised {describe(error)}"
            continue
        if got != sent:
            yield f"call {number} after it gave {shorten(got)}, not {shorten(sent)}"
        took = time.monotonic() - started
        if took > IN_TIME_S:
            yield f"call {number} after it took {took:.1f} s"


def in_thread(operation: Operation, body: Callable[[], None]) -> None:
    """
    Run a function here, or in a new thread where the operation wants one.
    """
    if not operation.fresh_thread:
        body()
        return
    errors: list[BaseException] = []

    def run() -> None:
        try:
            body()
        except BaseException as error:  # raised below
            errors.append(error)

    thread = threading.Thread(target=run, name="fresh")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def describe(error: BaseException | None) -> str:
    """
    Name an exception and its message, in a line.
    """
    return f"{type(error).__name__}: {shorten(error)}".rstrip(": ")


def shorten(value: Any) -> str:
    """
    Give a value as text that fits in a line.
    """
    text = str(value) if isinstance(value, BaseException) else repr(value)
    return text if len(text) <= 120 else f"{text[:100]}... ({len(text)} characters)"
