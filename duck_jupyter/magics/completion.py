"""
Tab completion of the magics: names of variables, shared names, options.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from IPython.core.completer import SimpleCompletion, context_matcher

from ..session.names import is_shareable
from .options import options_of, words_of
from .share import DuckMagics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

    from ..session.session import Session

    Matcher: TypeAlias = Callable[[CompletionContext], Any]

__all__ = ["make_matcher"]

MAGICS: dict[str, Any] = {
    "share": DuckMagics.share,
    "unshare": DuckMagics.unshare,
    "duck": DuckMagics.duck,
}
#: The magic at the start of a line, or behind `p =`, and what is typed after it.
MAGIC = re.compile(rf"(?:^|=)\s*%({'|'.join(MAGICS)})\s+([^#]*)$")


def make_matcher(shell: InteractiveShell, session: Session) -> Matcher:
    """
    Make what completes the magics' lines.

    Args:
        shell: The shell whose variables can be shared.
        session: What shares them.
    """

    @context_matcher()
    def duck_jupyter_matcher(context: CompletionContext) -> dict[str, Any]:
        """
        Complete the lines of %share, %unshare and %duck.
        """
        found = MAGIC.search(context.text_until_cursor)
        if found is None:
            return {"completions": []}
        magic, typed = found.groups()
        *before, word = re.split(r"[\s,]+", typed)
        words = [
            SimpleCompletion(name, type=kind)
            for name, kind in _words(magic, before, shell, session)
            if name.startswith(word) and name not in before
        ]
        return {"completions": words, "suppress": True}

    return cast("Matcher", duck_jupyter_matcher)


def _words(
    magic: str, before: list[str], shell: InteractiveShell, session: Session
) -> Iterator[tuple[str, str]]:
    """
    Give what may come next, and what kind of thing it is.
    """
    options = options_of(MAGICS[magic])
    if before and any(o.takes_value and o.name == before[-1] for o in options):
        return  # it is for the user to make up
    if magic == "share":
        yield from ((name, "variable") for name in _variables(shell))
    elif magic == "unshare":
        yield from ((shared.name, "variable") for shared in session.names)
    elif not before:
        yield from ((word, "keyword") for word in words_of(MAGICS[magic]))
    for option in options:
        if not option.word or option.word in before:
            yield option.name, "keyword"


def _variables(shell: InteractiveShell) -> list[str]:
    """
    List the variables that the user made and can share.
    """
    hidden = shell.user_ns_hidden
    missing = object()
    return sorted(
        name
        for name, value in list(shell.user_ns.items())
        if not name.startswith("_")
        and hidden.get(name, missing) is not value
        and is_shareable(value)
    )
