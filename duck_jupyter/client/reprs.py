"""
How a proxy is shown to people: in one line, soon, and whatever has happened.

Debuggers, logs and test runners ask for this line at any moment. So it takes no lock
that a call may hold, is not waited for longer than `SHOW_S`, and raises nothing.
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

#: How references begin that are written out for people.
CALLABLE_PREFIX = "<callable>-"
PROXY_PREFIX = "<proxy>-"
#: Seconds that the line may take.
SHOW_S = 0.3


def name_of(ref: ObjectRef) -> str:
    """
    Give what is known of an object without asking for it: number, type and level.
    """
    return f"{PROXY_PREFIX}{ref.idx} {printable(ref.type_name)}{_level_of(ref)}"


def line_of(link: Link, ref: ObjectRef) -> str:
    """
    Give the first part of `line_and_path`.
    """
    return line_and_path(link, ref)[0]


def line_and_path(link: Link, ref: ObjectRef) -> tuple[str, str]:
    """
    Say what a proxy stands for, in one line, and how it was reached.

    Args:
        link: The way to its server.
        ref: Its object.

    Returns:
        ``<proxy>-14 DataFrame, 336,776 rows × 19 columns`` and ``df``; where there is
        no answer, its number, its type and the reason, and no path.
    """  # noqa: RUF002 - a multiplication sign
    try:
        found = link.summary(ref.idx, SHOW_S)
    except ProxyTimeout:
        why = f"no answer within {SHOW_S} s"
    except (KernelGone, ProxyClosed):
        why = "its kernel has ended"
    except Exception as error:  # a text for people hides no other error
        why = type(error).__name__
    else:
        if found is not None:
            summary, path = found
            line = f"{PROXY_PREFIX}{ref.idx} {summary}{_level_of(ref)}"
            return line, printable(path)
        why = "not shared any more"
    return f"{name_of(ref)} ({why})", ""


def _level_of(ref: ObjectRef) -> str:
    return f", level {ref.level}" if ref.level else ""
