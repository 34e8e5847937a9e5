"""
Failing, in a worker: an error is sent with the frames in which it was raised.

Pools send the text of a traceback. A worker sends the frames as data: file, function,
line, columns, and short texts of the variables. It sends no source: the notebook has
the source of each cell under the cell's file name.
"""

from __future__ import annotations

import os
import pickle
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

    Sendable: TypeAlias = "RemoteError | Packed"

__all__ = [
    "Failing",
    "FrameData",
    "Link",
    "add_failing",
    "call_of",
    "is_of_pool",
    "sendable",
    "unpack",
    "where",
]

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
        # A `multiprocessing.Pool` would end the worker, and wait for the task for ever.
        is_sent = self._is_returned or isinstance(error, KeyboardInterrupt)
        if not is_exception and not is_sent:
            return error
        if self._taps is None:
            # Imported here, so only workers with a failed task pay for it.
            from ..data.pickler_hooks import Taps

            self._taps = Taps(_nothing, {}, _nothing, [self._reduce])
            self._taps.open()
        link = _link_of(error, 0)._replace(error=None)
        sent = sendable(error)
        # What is raised is what a pool sends, and must not end the worker.
        raised: BaseException = sent if isinstance(sent, RemoteError) else error
        if not is_exception:
            raised = NotAnException()
        self._last = raised, sent, link, where(task)
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


def where(task: worker.Running, item: int | None = None) -> str:
    """
    Say where a task ran, and its call in short.

    Args:
        task: The task.
        item: As in `call_of`.
    """
    return f"In worker {os.getpid()}: {call_of(task, item)}"


def call_of(task: worker.Running, item: int | None = None) -> str:
    """
    Write the call of a task in short.

    Args:
        task: The task.
        item: The item of a chunk, from 0; by default the one at which the task failed.
    """
    function, args, of = task.function, task.args, ""
    kind = getattr(getattr(function, "func", None), "__name__", "")
    if kind == "walk":
        of = "starmap" if function.args[1] else "map"
        function, args = args[0]
    elif kind == "walk_chunk":
        function, (args,), of = function.args[1], args, "starmap"
    if item is None:
        item = worker_item() if of else -1
    return short_call(function, args, task.kwargs, item, of)


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
        sendable(error),
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


class Packed:
    """
    An error as bytes, and its text: the notebook may fail to rebuild it.

    If it failed while it unpickles a result, an executor would be broken.
    """

    def __init__(self, data: bytes, text: str) -> None:
        self._data = data
        self._text = text

    def __reduce__(self) -> tuple[Any, ...]:
        return unpack, (self._data, self._text)


def unpack(data: bytes, text: str) -> BaseException:
    """
    Return an error that a worker has sent, or its text as a `RemoteError`.
    """
    try:
        error = pickle.loads(data)
    except Exception:  # whatever the error's own class does
        return RemoteError(text)
    return error if isinstance(error, BaseException) else RemoteError(text)


def sendable(error: BaseException) -> Sendable:
    """
    Give what the notebook gets for an error.
    """
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    data = _pickled(error) or _pickled(ByState(error))
    return RemoteError(text) if data is None else Packed(data, text)


def _can_be_sent(part: Any) -> bool:
    return _pickled(part) is not None


def _pickled(part: Any) -> bytes | None:
    """
    Pickle an error, or a part of one; None if it cannot be rebuilt even here.
    """
    from multiprocessing.reduction import ForkingPickler

    before, mirror.is_returned = mirror.is_returned, True
    try:
        data = bytes(ForkingPickler.dumps(part))
        mirror.load_own(data)
    except Exception:  # whatever the error's own class does
        return None
    finally:
        mirror.is_returned = before
    return data


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
