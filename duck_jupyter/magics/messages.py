"""
The messages of ``%share``: one line that says what it did and how to use the proxy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..engines.distributed_data import is_distributed
from ..objects.sizes import size_of
from ..objects.summary import shaped_type
from ..protocol.escaping import printable

if TYPE_CHECKING:
    from ..engines.engine import Engine
    from ..session.names import Terms
    from ..session.shared_names import Wish

__all__ = ["Answers", "Proxies", "answer_of"]

#: A line with only the magic, with or without its percent sign.
BARE_SHARE = re.compile(r"\s*%?share\s")


class Proxies(tuple[Any, ...]):
    """
    The proxies of one ``%share`` of several variables.
    """

    __slots__ = ()


class Answers:
    """
    The messages of one shell.

    The value of ``%share df`` is a proxy, for ``p = %share df``. If the line is the
    last one of its cell, the notebook would show the object; then the message is shown
    in place of the value. Elsewhere the message is printed.
    """

    def __init__(self) -> None:
        self._ends_cell = False
        self._value: Any = None
        self._text = ""

    def cell_begins(self, code: str) -> None:
        """
        Note the code of a cell before it runs.
        """
        lines = [line for line in code.splitlines() if line.split("#")[0].strip()]
        self._ends_cell = bool(lines) and BARE_SHARE.match(lines[-1]) is not None

    def cell_ends(self) -> None:
        """
        Forget messages that were not shown.
        """
        self._ends_cell = False
        self._value = None

    def give(self, value: Any, text: str) -> None:
        """
        Print a message, or keep it to show it in place of a value.

        Args:
            value: The value that the magic returns.
            text: One line for each object.
        """
        if self._ends_cell:
            self._value, self._text = value, text
        else:
            print(text)  # noqa: T201 - the message of a magic

    def of(self, value: Any) -> str:
        """
        Return the message to show in place of a value, or None.
        """
        return self._text if value is not None and value is self._value else ""


def answer_of(wish: Wish, terms: Terms, before: Engine | None = None) -> str:
    """
    Return the message that says what was shared and how to use it.

    Args:
        wish: The shared object.
        terms: The settings of the share.
        before: The engine that the name was on before.
    """
    name = f"shared.{wish.name}"
    kind = type(wish.target)
    size = size_of(wish.target).replace(" x ", " × ")  # noqa: RUF001
    what = printable(f"{kind.__name__} {size}".strip())
    variable = wish.name if wish.source is None else wish.source.variable
    if is_distributed(wish.target):
        use = f"its data are on the cluster already, so pass {variable} to tasks as it "
        use += f"is; calls of {name} run here"
    elif shaped_type(kind) is None:
        use = f"pass {name} to workers, and its calls run here"
    else:
        use = f"in a worker fetch({name})"
        use += f" or just {variable}" if terms.handover else ""
    if terms.on is not None:
        use += f"; tasks of the cluster get their own copy of {variable}"
    if before is not None and before is not terms.on:
        use += f"; it is no longer on {before.word} (to keep it there, add --on)"
    return f"{name} → {what}, {_mode_of(terms)}; {use}"


def _mode_of(terms: Terms) -> str:
    mode = "live"
    if terms.frozen:
        mode = "frozen"
    elif terms.inplace:
        mode = "in place"
    if terms.readonly:
        mode = "read-only" if mode == "live" else f"{mode}, read-only"
    if terms.allow is not None:
        names = ", ".join(sorted(terms.allow))
        mode += f" but for {names}" if terms.readonly else f", only {names}"
    return mode
