"""
Failing, in a worker: an error is sent with the frames in which it was raised.

Pools send the text of a traceback. A worker sends the frames as data: file, function,
line, columns, and short texts of the variables. It sends no source: the notebook has
the source of each cell under the cell's file name.
"""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import RemoteError, RemoteTraceback
from . import worker
from .calls import short_call, short_value
from .mirror import mirror
from .tasks import WRAPPER

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TypeAlias

    Sendable: TypeAlias = "BaseException | ByState"

__all__ = ["Failing", "FrameData", "Link", "add_failing", "is_of_pool"]

#: Frames, errors of a chain, and variables of a frame that are sent at most.
MOST_FRAMES = 100
MOST_LINKS = 10
MOST_VARIABLES = 30
#: Classes that a pool sends in place of an error.
CARRIERS = ("_ExceptionWithTraceback", "ExceptionWithTraceback")
_HERE = __file__.rpartition("/")[0] + "/"
POOLS = (_HERE, "/concurrent/futures/", "/multiprocessing/", "/loky/", "/joblib/")


class FrameData(NamedTuple):
    """
    One frame of a traceback.

    Attributes:
        file: Its code's file name.
        name: The function's name, and its qualified name.
        first_line: The function's.
        arguments: How many of the variables are the function's arguments.
        variables: The names of its variables, the arguments first, and their values in
            short.
        line: The line that ran.
        place: First and last line, first and last column, where they are known.
    """

    file: str
    name: tuple[str, str]
    first_line: int
    arguments: int
    variables: tuple[tuple[str, str], ...]
    line: int
    place: tuple[int, int, int, int] | None


class Link(NamedTuple):
    """
    One error of a chain: its frames, and its cause or context.
    """

    error: Sendable | None
    frames: list[FrameData]
    is_context_hidden: bool
    cause: Link | None
    context: Link | None


def add_failing() -> None:
    """
    Let this worker send the frames of errors.
    """
    worker.add(Failing())


class Failing(worker.WorkerFeature):
    """
    Notes the frames of a task's error before the pool drops them.
    """

    def __init__(self) -> None:
        self._taps: Any = None
        #: Whether joblib would have returned the error of the task, whatever it is.
        self._is_returned = False
        # The error that the pool gets, the error that is sent in its place, its frames,
        # and a short text of the task.
        self._last: tuple[BaseException, Sendable, Link, str] | None = None

    def task_begins(self, task: worker.Running) -> None:
        """
        Drop the error of the task before.
        """
        self._last = None
        function = task.function
        self._is_returned = type(function).__name__ == WRAPPER
        if self._is_returned:
            # This wrapper of joblib returns errors; joblib accepts raised ones as well.
            task.function = function.func

    def task_failed(self, task: worker.Running, error: BaseException) -> BaseException:
        """
        Note the frames of the error. An error that cannot be sent becomes a text.
        """
        is_exception = isinstance(error, Exception)
        if not is_exception and not self._is_returned:
            return error
        if self._taps is None:
            # Imported here, so only workers with a failed task pay for it.
            from ..data.pickler_hooks import Taps

            self._taps = Taps(_nothing, {}, _nothing, [self._reduce])
            self._taps.open()
        link = _link_of(error, 0)._replace(error=None)
        sent = _sendable(error)
        # What is raised is what a pool sends, and must not end the worker.
        raised = error if isinstance(sent, ByState) else sent
        if not is_exception:
            raised = NotAnException()
        self._last = raised, sent, link, _where(task)
        return raised

    def _reduce(self, pickler: Any, value: Any) -> Any:
        last = self._last
        if last is None or type(value).__name__ not in CARRIERS:
            return NotImplemented
        if value.exc is not last[0]:
            return NotImplemented
        from .tracebacks import rebuild

        return rebuild, last[1:]


def is_of_pool(file: str) -> bool:
    """
    Return whether code is a pool's, or ours.
    """
    return any(name in file for name in POOLS)


def _nothing() -> None:
    """
    There are no shared objects in a worker to be looked for.
    """


def _where(task: worker.Running) -> str:
    function, args, of = task.function, task.args, ""
    kind = getattr(getattr(function, "func", None), "__name__", "")
    if kind == "walk":
        of = "starmap" if function.args[1] else "map"
        (function, args), item = args[0], worker_item()
    elif kind == "walk_chunk":
        function, (args,), item, of = function.args[1], args, worker_item(), "starmap"
    else:
        item = -1
    return (
        f"In worker {os.getpid()}: {short_call(function, args, task.kwargs, item, of)}"
    )


def worker_item() -> int:
    """
    Return the item of a chunk at which the task failed, from 0; -1 if it is not known.
    """
    from .slots import Slot

    slots = [x for x in worker.features if isinstance(x, Slot)]
    return slots[0].item() if slots else -1


def _link_of(error: BaseException, depth: int) -> Link:
    cause, context = error.__cause__, error.__context__
    if isinstance(cause, RemoteTraceback) and not _has_frames(cause):
        # Of a refused call: it would say once more what the error says.
        cause = None
    if context is cause or depth > MOST_LINKS:
        context = None
    if depth > MOST_LINKS:
        cause = None
    return Link(
        _sendable(error),
        _frames_of(error.__traceback__),
        error.__suppress_context__,
        None if cause is None else _link_of(cause, depth + 1),
        None if context is None else _link_of(context, depth + 1),
    )


def _has_frames(cause: RemoteTraceback) -> bool:
    return cause.text.startswith("Traceback ")


class NotAnException(Exception):
    """
    Is raised in a worker for a KeyboardInterrupt, or the like, that is only to be sent.
    """


class ByState:
    """
    Pickles as an error whose class cannot be called with the error's ``args``.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        from ..protocol.exceptions import reduce_exception

        # The link has its causes.
        error, causes = self.error, (self.error.__cause__, self.error.__context__)

        def can_be_sent(part: Any) -> bool:
            return any(part is cause for cause in causes) or _can_be_sent(part)

        reduced = reduce_exception(error, can_be_sent)
        make, how, state, *rest = reduced
        return make, how, (*state[:3], None, None, *state[5:]), *rest


def _sendable(error: BaseException) -> Sendable:
    """
    Give what the notebook gets for an error: what fails there breaks an executor.
    """
    if _can_be_sent(error):
        return error
    by_state = ByState(error)
    return by_state if _can_be_sent(by_state) else _as_text(error)


def _can_be_sent(part: Any) -> bool:
    from multiprocessing.reduction import ForkingPickler

    try:
        mirror.load_own(ForkingPickler.dumps(part))
    except Exception:  # whatever the error's own class does
        return False
    return True


def _as_text(error: BaseException) -> BaseException:
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    return RemoteError(text)


def _frames_of(trace: TracebackType | None) -> list[FrameData]:
    found: list[FrameData] = []
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        # Those of the pool come before the task's; within it, they are the task's.
        if not file.startswith(_HERE) and (found or not is_of_pool(file)):
            found.append(_frame_of(trace))
        trace = trace.tb_next
    if len(found) > MOST_FRAMES:
        found = found[: MOST_FRAMES // 2] + found[-MOST_FRAMES // 2 :]
    return found


def _frame_of(trace: TracebackType) -> FrameData:
    code, place = trace.tb_frame.f_code, None
    # An instruction that Python has added has none.
    line: int | None = trace.tb_lineno
    if hasattr(code, "co_positions"):  # Python 3.11
        places = list(code.co_positions())[trace.tb_lasti // 2]
        place = None if None in places else places
    values = trace.tb_frame.f_locals
    is_module = code.co_name == "<module>"
    count = 0 if is_module else code.co_argcount + code.co_kwonlyargcount
    names = [
        name
        for name in ([] if is_module else code.co_varnames)
        if name in values and name.isidentifier()
    ]
    return FrameData(
        code.co_filename,
        (code.co_name, getattr(code, "co_qualname", code.co_name)),
        code.co_firstlineno,
        min(count, len(names)),
        tuple((name, short_value(values[name])) for name in names[:MOST_VARIABLES]),
        code.co_firstlineno if line is None else line,
        place,
    )
