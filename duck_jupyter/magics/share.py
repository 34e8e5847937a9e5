"""
%share, %unshare and %duck.
"""

from __future__ import annotations

import functools
import shlex
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic import (
    Magics,
    line_magic,
    magics_class,
    output_can_be_silenced,
)
from IPython.core.magic_arguments import argument, argument_group, magic_arguments

from ..errors import ProxyError
from ..protocol.escaping import printable
from ..session.api import names_in
from ..session.doctor import clean, examine, sections_of
from ..session.names import Source, Terms, check_alias, check_object, close_to
from ..session.overview import overview_of
from ..session.session import Wish
from .doctor_report import DoctorReport
from .messages import Proxies, answer_of
from .monitor_display import monitor_of, shows_widgets
from .options import HelpWanted, help_of
from .share_table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from ..monitor.hub import Hub
    from ..proxy import Proxy
    from ..session.session import Session
    from .messages import Answers

__all__ = ["DuckMagics"]

F = TypeVar("F", bound="Callable[..., Any]")

#: What %duck can be told.
DUCK_WORDS = ("status", "monitor", "stop", "doctor")


def in_one_line(magic: F) -> F:
    """
    Show the errors of a magic as one line and without a traceback; print its help.
    """

    @functools.wraps(magic)
    def wrapper(self: DuckMagics, line: str) -> Any:
        try:
            return magic(self, line)
        except HelpWanted:
            print(help_of(magic))  # noqa: T201 - a magic answers
            return None
        except ProxyError as error:
            raise UsageError(printable(" ".join(str(error).split()))) from None

    return wrapper  # type: ignore[return-value]


def whole_number(text: str) -> int:
    """
    Read a number of an option.
    """
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def duck_word(text: str) -> str:
    """
    Read the word that %duck takes.
    """
    if text not in DUCK_WORDS:
        *others, last = DUCK_WORDS
        raise ArgumentTypeError(
            f"must be {', '.join(others)} or {last}, not {text!r}."
            f"{close_to(text, DUCK_WORDS)}"
        )
    return text


@magics_class
class DuckMagics(Magics):
    """
    The magics of one shell. The extension makes them, and gives them its session.

    Args:
        shell: The shell whose variables are shared.
        session: What shares them.
        hub: The session's monitor.
        answers: Where the answers of %share go.
        restore: Puts ``shared`` and its like back where they are missing.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        session: Session,
        hub: Hub,
        answers: Answers,
        restore: Callable[[], None],
    ) -> None:
        super().__init__(shell)
        self._session = session
        self._hub = hub
        self._answers = answers
        self._namespace = shell.user_ns
        self._restore = restore

    @line_magic
    @output_can_be_silenced
    @in_one_line
    @magic_arguments()
    @argument("names", metavar="NAME", nargs="*", help="Variables to share.")
    @argument("--as", dest="alias", metavar="ALIAS", help="Share it as shared.ALIAS.")
    @argument(
        "--bufsize",
        type=whole_number,
        metavar="BYTES",
        help="The buffer that its calls get; a larger frame travels beside it.",
    )
    @argument(
        "--readonly",
        action="store_true",
        help="Refuse what is not known to change nothing.",
    )
    @argument(
        "--allow",
        metavar="NAMES",
        help="The only names that may be used, with commas between them; of what is "
        "read-only, names that may be used as well.",
    )
    @argument(
        "--max-chain",
        type=whole_number,
        metavar="N",
        help="The highest level of a proxy reached through this one.",
    )
    @argument(
        "--frozen",
        action="store_true",
        help="Promise that it will not change: it is published once, never compared.",
    )
    @argument(
        "--inplace",
        action="store_true",
        help="Move its data to shared memory, where everyone sees every write.",
    )
    @argument(
        "--no-handover",
        action="store_true",
        help="Passed to a pool, the variable itself is pickled as ever.",
    )
    @argument("--help", action="store_true", help="Show this.")
    def share(self, line: str) -> Proxy | Proxies | Table:
        """
        Share variables with worker processes; without names, show what is shared.

        Nothing is copied: a proxy stands for the variable's object, in as many
        processes as it is given to. The name follows its variable.
        """
        args = self._parse(self.share, line)
        if not args.names:
            options = (args.alias, args.bufsize, args.allow, args.max_chain)
            flags = (args.readonly, args.frozen, args.inplace, args.no_handover)
            if any(flags) or any(option is not None for option in options):
                raise UsageError(
                    "%share with options needs the name of a variable, as in "
                    "%share df --readonly"
                )
            return Table(overview_of(self._session))
        if args.alias is not None:
            if len(args.names) > 1:
                raise UsageError(
                    f"--as gives one name, and {len(args.names)} variables are to be "
                    "shared: use one %share for each."
                )
            check_alias(args.alias)
        allow = None if args.allow is None else frozenset(names_in(args.allow))
        terms = Terms(
            args.bufsize,
            args.readonly,
            allow,
            args.max_chain,
            args.frozen,
            args.inplace,
            not args.no_handover,
        )
        wishes = [self._wish(name, args.alias) for name in args.names]
        proxies = Proxies(self._session.share(wishes, terms))
        self._restore()
        value: Proxy | Proxies = proxies if len(proxies) > 1 else proxies[0]
        if not args.is_silent:
            # A name that is read-only stays so where --allow adds names to it.
            shared = {one.name: one.terms for one in self._session.names}
            lines = [answer_of(wish, shared.get(wish.name, terms)) for wish in wishes]
            self._answers.give(value, "\n".join(lines))
        return value

    @line_magic
    @in_one_line
    @magic_arguments()
    @argument("names", metavar="NAME", nargs="*", help="Shared names.")
    @argument("--all", action="store_true", help="All that is shared.")
    @argument("--help", action="store_true", help="Show this.")
    def unshare(self, line: str) -> None:
        """
        Share names no longer; proxies that workers hold then find nothing.
        """
        args = self._parse(self.unshare, line)
        if args.all == bool(args.names):
            raise UsageError(
                "%unshare takes names or --all, as in %unshare df"
                if not args.all
                else "%unshare takes either names or --all, and not both."
            )
        # As %share answers: shared.df.
        names = [name.removeprefix("shared.") for name in args.names]
        known = [shared.name for shared in self._session.names]
        self._session.unshare(known if args.all else names)

    @line_magic
    @in_one_line
    @magic_arguments()
    @argument("word", type=duck_word, choices=DUCK_WORDS, nargs="?", help="What to do.")
    @argument("--help", action="store_true", help="Show this.")
    @argument_group("doctor")
    @argument("--clean", action="store_true", help="Remove what is left.")
    def duck(self, line: str) -> Any:
        """
        Look after the server: ``status`` shows what it does, ``stop`` ends it.

        ``monitor`` shows what it does live, also while a cell runs; where no widgets
        are shown, as in a terminal, it shows what ``status`` does.

        ``doctor`` shows how much room there is for blocks of shared memory, what this
        kernel holds, and what kernels left that were killed; with ``--clean`` it
        removes that.
        """
        args = self._parse(self.duck, line)
        word = args.word
        if args.clean and word != "doctor":
            raise UsageError("--clean is for %duck doctor --clean")
        if word is None:
            raise HelpWanted
        if word == "doctor":
            report = examine(self._session)
            removed = clean(report) if args.clean else None
            return DoctorReport(sections_of(report, removed))
        if word == "stop":
            self._session.stop()
        table = Table(overview_of(self._session))
        if word == "monitor" and shows_widgets(self.shell):
            return monitor_of(self._hub)
        return table

    def _parse(self, magic: Any, line: str) -> Any:
        try:
            # People write a comment behind it, a semicolon, and commas between names.
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise UsageError(f"The line cannot be read: {error}.") from None
        is_silent = bool(words) and words[-1].endswith(";")
        if is_silent:
            last = words.pop().rstrip(";")
            words += [last] if last else []
        # Names may also stand behind options: %share df --readonly cfg
        args = magic.parser.parse_intermixed_args(words)
        if args.help:
            raise HelpWanted
        args.is_silent = is_silent
        if hasattr(args, "names"):
            listed = [part for word in args.names for part in word.split(",") if part]
            args.names = list(dict.fromkeys(listed))
        return args

    def _wish(self, variable: str, alias: str | None) -> Wish:
        if not variable.isidentifier():
            raise UsageError(
                f"%share takes the names of variables, not {variable!r}. Assign the "
                "object to a variable first."
            )
        if variable not in self._namespace:
            # The advice in an error says %share with the name that a worker knows.
            for shared in self._session.names if alias is None else ():
                if shared.name == variable:
                    return Wish(variable, shared.target, shared.source)
            known = (name for name in self._namespace if not name.startswith("_"))
            raise UsageError(
                f"There is no variable {variable!r}.{close_to(variable, known)}"
            )
        target = self._namespace[variable]
        check_object(target, repr(variable))
        return Wish(alias or variable, target, Source(self._namespace, variable))
