"""
Tracebacks: show an error of a task as if the task had run in the notebook.

The notebook makes traceback objects from the frames that a worker has sent. So these
follow those of the cell, in IPython's own style, for `%tb`, `%debug`, `traceback` and
logging. IPython does not show the frames of pools and of this package.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import html
import keyword
import traceback
import types
from typing import TYPE_CHECKING, Any

from ..protocol.tracebacks import OWN_FOLDER
from .failing import FrameData, add_failing, is_of_pool
from .features import Feature
from .notebook import notebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from .failing import Link
    from .features import Call

__all__ = ["Tracebacks", "dress", "rebuild"]

#: The method that IPython calls on an error.
RENDER = "_render_traceback_"
#: The class of the cause that executors give an error: the text of their own frames.
POOLS_CAUSE = "_RemoteTraceback"

# A class of errors may refuse assignments.
_set_cause: Any = vars(BaseException)["__cause__"].__set__
_set_suppress: Any = vars(BaseException)["__suppress_context__"].__set__


class Tracebacks(Feature):
    """
    Lets workers send the frames of errors, and offers the whole traceback.
    """

    def worker_start(self, pool: Any) -> Call:
        """
        Let each worker send the frames of errors.
        """
        return add_failing, ()

    def cell_ends(self, error: BaseException | None) -> None:
        """
        Show under a failed cell the frames that its error leaves out.
        """
        shown = notebook.shown
        if error is None or shown is None:
            return
        made = vars(error).get(RENDER)
        if not isinstance(made, Rendering) or made.remote is None:
            return
        whole = "".join(
            traceback.format_exception(type(error), error, error.__traceback__)
        )
        summary = "The whole traceback, with the frames of the pool"
        text = f"<details><summary>{summary}</summary><pre>{html.escape(whole)}</pre>"
        data = {"text/html": f"{text}</details>", "text/plain": f"({summary})"}
        content = {"data": data, "metadata": {}, "transient": {}}
        shown.show(notebook.header(), "display_data", content)


class Shown(str):
    """
    The value of a variable in a worker: only its text was sent.
    """

    def __repr__(self) -> str:
        return str(self)


class Rendering:
    """
    The method that IPython calls for the traceback of an error.

    Args:
        error: The error.
        remote: The traceback of the worker, or None.
    """

    def __init__(self, error: BaseException, remote: TracebackType | None) -> None:
        self._error = error
        self.remote = remote

    def __call__(self) -> list[str]:
        """
        Format the error without the frames of the pool.
        """
        error = self._error
        trace = _shortened(error.__traceback__, self.remote)
        with _without_pools_own(error):
            if notebook.shown is None or trace is None:
                return traceback.format_exception(type(error), error, trace)
            return notebook.shown.render(error, trace)

    def __reduce__(self) -> tuple[Any, ...]:
        # An error that is sent to another process is shown there as usual.
        return str, ()


def dress(error: BaseException, remote: TracebackType | None = None) -> BaseException:
    """
    Let IPython show an error without the frames of the pool.

    Args:
        error: The error; returned.
        remote: The traceback of the worker, or None.
    """
    with contextlib.suppress(AttributeError):  # a class may refuse it
        setattr(error, RENDER, Rendering(error, remote))
    return error


def rebuild(error: BaseException, link: Link, where: str) -> BaseException:
    """
    Return the error that the notebook raises for an error of a worker.

    Args:
        error: The error.
        link: The frames in which it was raised, and its cause.
        where: The worker, and a short text of the task.
    """
    _restore(error, link)
    with contextlib.suppress(AttributeError):
        notes = [*getattr(error, "__notes__", []), where]
        error.__notes__ = notes  # type: ignore[attr-defined]
    return dress(error, error.__traceback__)


def _restore(error: BaseException, link: Link) -> BaseException:
    error.__traceback__ = _traceback_of(link.frames)
    for name, part in (("__cause__", link.cause), ("__context__", link.context)):
        if part is not None and isinstance(part.error, BaseException):
            setattr(error, name, _restore(part.error, part))
    error.__suppress_context__ = link.is_context_hidden
    return error


def _shortened(
    trace: TracebackType | None, remote: TracebackType | None
) -> TracebackType | None:
    """
    Return the frames up to the first one of a pool, and then those of the worker.

    The frames of a proxy's call are left out as well: its error says what to do.

    An error that was raised several times has the frames of each time, so the frames
    between are ignored.
    """
    remotes = set(map(id, _links(remote)))
    kept = []
    for part in _links(trace):
        file = part.tb_frame.f_code.co_filename
        if id(part) in remotes or is_of_pool(file):
            break
        kept.append(part)
    told = [
        part
        for part in _links(remote)
        if not part.tb_frame.f_code.co_filename.startswith(OWN_FOLDER)
    ]
    shown = None
    for part in reversed([*kept, *told]):
        frame = part.tb_frame
        # An instruction that Python has added has no line, and an Interrupt hits any.
        line: int | None = part.tb_lineno
        lasti = part.tb_lasti
        if line is None:
            # IPython asks the frame itself for its line.
            line = frame.f_code.co_firstlineno
            made = _frame_of(_without_line(frame.f_code))
            if made is not None:
                frame, lasti = made.tb_frame, made.tb_lasti
        shown = types.TracebackType(shown, frame, lasti, line)
    return shown


def _without_line(code: types.CodeType) -> FrameData:
    name = code.co_name, getattr(code, "co_qualname", code.co_name)  # Python 3.11
    first = code.co_firstlineno
    return FrameData(code.co_filename, name, first, 0, (), first, None)


@contextlib.contextmanager
def _without_pools_own(error: BaseException) -> Iterator[None]:
    """
    In the block, an error has no cause and no context that only the pool knows of.
    """
    cause, is_hidden = error.__cause__, error.__suppress_context__
    try:
        if type(cause).__name__ == POOLS_CAUSE:
            _set_cause(error, None)
        if error.__cause__ is None and _is_of_pool_alone(error.__context__):
            _set_suppress(error, True)
        yield
    finally:
        _set_cause(error, cause)
        _set_suppress(error, is_hidden)


def _is_of_pool_alone(context: BaseException | None) -> bool:
    """
    Return whether a pool was handling an error of its own when another one came.

    So is an Interrupt while ``imap`` waits for an item that it has not found.
    """
    trace = None if context is None else context.__traceback__
    return trace is not None and is_of_pool(trace.tb_frame.f_code.co_filename)


def _links(trace: TracebackType | None) -> list[TracebackType]:
    found = []
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


def _traceback_of(frames: list[FrameData]) -> TracebackType | None:
    trace = None
    for data in reversed(frames):
        made = _frame_of(data)
        if made is not None:
            trace = types.TracebackType(trace, made.tb_frame, made.tb_lasti, data.line)
    return trace


def _frame_of(data: FrameData) -> TracebackType | None:
    """
    Make a frame like the worker's: of a function that raises at the same place.
    """
    values = {
        name: Shown(text)
        for name, text in data.variables
        if not keyword.iskeyword(name)
    }
    names = list(values)
    code = _code_of(
        data.file,
        data.name,
        data.first_line,
        tuple(names[: data.arguments]),
        tuple(names[data.arguments :]),
        data.place or (data.line, data.line, 0, 0),
    )
    function = types.FunctionType(code, {"__name__": "__main__", "_values": values})
    try:
        function(*(values[name] for name in names[: data.arguments]))
    except ZeroDivisionError as error:
        trace = error.__traceback__
        return None if trace is None else trace.tb_next
    return None


@functools.lru_cache(256)
def _code_of(
    file: str,
    name: tuple[str, str],
    first_line: int,
    arguments: tuple[str, ...],
    others: tuple[str, ...],
    place: tuple[int, int, int, int],
) -> types.CodeType:
    # One error that no name of the frame can hide.
    lines = [f"    {other} = _values[{other!r}]" for other in others]
    source = [f"def stub({', '.join(arguments)}):", *lines, "    1 / 0"]
    stub = ast.parse("\n".join(source))
    last = stub.body[0].body[-1]  # type: ignore[attr-defined]
    raising = set(ast.walk(last))
    for node in ast.walk(stub):
        where = place if node in raising else (first_line, first_line, 0, 0)
        if isinstance(node, (ast.stmt, ast.expr, ast.arg)):
            node.lineno, node.end_lineno = where[:2]
            node.col_offset, node.end_col_offset = where[2:]
    module = compile(stub, file, "exec")
    code = next(x for x in module.co_consts if isinstance(x, types.CodeType))
    qualified: dict[str, Any] = {}
    if hasattr(code, "co_qualname"):  # Python 3.11
        qualified["co_qualname"] = name[1]
    return code.replace(co_name=name[0], **qualified)
