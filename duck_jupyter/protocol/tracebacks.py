"""
An exception as text: like Python's tracebacks, without the frames of this package.
"""

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ProxyError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TEXT_CHARS", "cell_names", "describe", "message_of", "traceback_text"]

#: A longer traceback keeps its two ends.
TEXT_CHARS = 20_000
#: Frames of code in this folder are left out.
OWN_FOLDER = str(Path(__file__).parents[1]) + os.sep
NO_TEXT = "(its text cannot be made)"
FILE = re.compile(r'^(\s*)File "([^"\n]+)", (?=line )', re.MULTILINE)

#: Each returns the notebook's name for the file of a cell, such as ``Cell In[3]``, or
#: None.
cell_names: list[Callable[[str], str | None]] = []


def describe(error: BaseException) -> str:
    """
    Return an exception as one line, even if its own ``__str__`` raises.
    """
    try:
        return f"{type(error).__name__}: {error}"[:TEXT_CHARS]
    except BaseException:  # __str__ may run any code of the user
        return f"{type(error).__name__} {NO_TEXT}"


def message_of(error: BaseException) -> str:
    """
    Return the text of an exception, even if its own ``__str__`` raises.
    """
    try:
        return str(error)[:TEXT_CHARS]
    except BaseException:  # __str__ may run any code of the user
        return NO_TEXT


def traceback_text(error: BaseException) -> str:
    """
    Return the traceback of an exception as text.

    Frames of this package are left out. They stay if there are no others and the
    exception is not a `ProxyError`: then the package itself has failed. A cell has its
    name in the notebook.
    """
    try:
        shown = traceback.TracebackException.from_exception(error)
        _leave_out_own(error, shown)
        text = "".join(shown.format())
    except BaseException:  # __str__ may run any code of the user
        text = "".join(traceback.format_tb(error.__traceback__)) + describe(error)
    text = FILE.sub(_with_cell_name, text)
    if len(text) > TEXT_CHARS:
        half = TEXT_CHARS // 2
        left_out = f"[... {len(text) - 2 * half} characters ...]"
        text = f"{text[:half]}\n{left_out}\n{text[-half:]}"
    return text


def _leave_out_own(
    error: BaseException | None, shown: traceback.TracebackException | None
) -> None:
    # In a cycle of exceptions the shown one is None.
    if error is None or shown is None:
        return
    others = [f for f in shown.stack if not f.filename.startswith(OWN_FOLDER)]
    if others or isinstance(error, ProxyError):
        shown.stack[:] = others
    _leave_out_own(error.__cause__, shown.__cause__)
    _leave_out_own(error.__context__, shown.__context__)
    inner = getattr(error, "exceptions", ())
    shown_inner = getattr(shown, "exceptions", None) or ()
    for one, shown_one in zip(inner, shown_inner, strict=False):
        _leave_out_own(one, shown_one)


def _with_cell_name(found: re.Match[str]) -> str:
    for cell_name in cell_names:
        name = cell_name(found[2])
        if name is not None:
            return f"{found[1]}{name}, "
    return found[0]
