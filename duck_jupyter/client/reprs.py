"""
How a proxy is shown to people: in one line, soon, in any state.

Debuggers, logs and test runners request this line at any moment. So it takes no lock
that a call may hold, waits at most `SHOW_S`, and raises nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import KernelGone, ProxyClosed, ProxyTimeout
from ..protocol.escaping import printable

if TYPE_CHECKING:
    from ..protocol.references import ObjectRef
    from .link import Link

__all__ = [
    "CALLABLE_PREFIX",
    "PROXY_PREFIX",
    "line_and_path",
    "line_of",
    "name_of",
]

#: The beginnings of references that are written for people.
CALLABLE_PREFIX = "<callable>-"
PROXY_PREFIX = "<proxy>-"
#: The time limit for the line, in seconds.
SHOW_S = 0.3


def name_of(ref: ObjectRef) -> str:
    """
    Return the number, type and level of an object, without a request.
    """
    return f"{PROXY_PREFIX}{ref.idx} {printable(ref.type_name)}{_level_of(ref)}"


def line_of(link: Link, ref: ObjectRef) -> str:
    """
    Return the first part of `line_and_path`.
    """
    return line_and_path(link, ref)[0]


def line_and_path(link: Link, ref: ObjectRef) -> tuple[str, str]:
    """
    Return the description of a proxy's object in one line, and its path.

    Args:
        link: The link to its server.
        ref: Its object.

    Returns:
        ``<proxy>-14 DataFrame, 336,776 rows × 19 columns`` and ``df``; without an
        answer, its number, its type and the reason, and no path.
    """  # noqa: RUF002 - a multiplication sign
    try:
        found = link.summary(ref.idx, SHOW_S)
    except ProxyTimeout:
        why = f"no answer within {SHOW_S} s"
    except (KernelGone, ProxyClosed):
        why = "its kernel has ended"
    except Exception as error:  # a text for people must not hide another error
        why = type(error).__name__
    else:
        if found is not None:
            summary, path = found
            line = f"{PROXY_PREFIX}{ref.idx} {summary}{_level_of(ref)}"
            return line, printable(path)
        why = "no longer shared"
    return f"{name_of(ref)} ({why})", ""


def _level_of(ref: ObjectRef) -> str:
    return f", level {ref.level}" if ref.level else ""
