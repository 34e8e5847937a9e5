"""
%share, %unshare and %duck.
"""

from __future__ import annotations

import functools
import shlex
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic import (
    Magics,
    line_magic,
    magics_class,
    output_can_be_silenced,
)
from IPython.core.magic_arguments import argument, argument_group, magic_arguments

from ..engines.choice import WORDS, find_engine
from ..errors import ProxyError
from ..protocol.escaping import printable
from ..session.api import names_in
from ..session.doctor import clean, examine, sections_of
from ..session.names import Source, Terms, check_alias, check_object, close_to
from ..session.overview import overview_of
from ..session.shared_names import Wish
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

#: The commands of %duck.
DUCK_WORDS = ("status", "monitor", "stop", "doctor")


def in_one_line(magic: F) -> F:
    """
    Show the errors of a magic as one line without a traceback, and print its help.
    """

    @functools.wraps(magic)
    def wrapper(self: DuckMagics, line: str) -> Any:
        try:
            return magic(self, line)
        except HelpWanted:
            print(help_of(magic))  # noqa: T201 - the answer of a magic
            return None
        except ProxyError as error:
            raise UsageError(printable(" ".join(str(error).split()))) from None

    return wrapper  # type: ignore[return-value]


def integer_of(option: str) -> Callable[[str], int]:
    """
    Return a function that parses the value of an option.
    """

    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            # Of other errors argparse makes a text of its own.
            raise UsageError(f"{option} must be an integer, not {text!r}.") from None

    return parse


def duck_word(text: str) -> str:
    """
    Check the command of %duck.
    """
    if text not in DUCK_WORDS:
        *others, last = DUCK_WORDS
        raise UsageError(
            f"The command of %duck must be {', '.join(others)} or {last}, not "
            f"{text!r}.{close_to(text, DUCK_WORDS)}"
        )
    return text


@magics_class
class DuckMagics(Magics):
    """
    The magics of one shell. The extension creates them for its session.

    Args:
        shell: The shell whose variables are shared.
        session: The session that shares the variables.
        hub: The session's monitor.
        answers: Takes the messages of %share.
        restore: Restores ``shared`` and the other given names if they are missing.
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
        type=integer_of("--bufsize"),
        metavar="BYTES",
        help=(
            "Size of the buffer for its calls; a larger frame is sent outside the "
            "buffer, which is slower."
        ),
    )
    @argument(
        "--readonly",
        action="store_true",
        help="Refuse calls that may change the object.",
    )
    @argument(
        "--allow",
        metavar="NAMES",
        help=(
            "Allow only these names, separated by commas; with --readonly, allow "
            "these names as well."
        ),
    )
    @argument(
        "--max-chain",
        type=integer_of("--max-chain"),
        metavar="N",
        help="The highest level of a proxy that is reached through this one.",
    )
    @argument(
        "--frozen",
        action="store_true",
        help=(
            "Promise that the object does not change: it is published once and never "
            "compared."
        ),
    )
    @argument(
        "--inplace",
        action="store_true",
        help="Move its data to shared memory, where all processes see every write.",
    )
    @argument(
        "--no-handover",
        action="store_true",
        help="Pickle the variable as usual when it is passed to a pool.",
    )
    @argument(
        "--on",
        metavar="CLUSTER",
        help=(
            "Give tasks of a cluster the variable itself: dask for the current client "
            "of Dask, the variable of a client, or ray."
        ),
    )
    @argument(
        "--insecure",
        action="store_true",
        help="With --on, accept a network without encryption.",
    )
    @argument("--help", action="store_true", help="Show this help.")
    def share(self, line: str) -> Proxy | Proxies | Table:
        """
        Share variables with worker processes; without names, list the shared ones.

        Nothing is copied: each worker gets a proxy of the variable's object. A shared
        name follows its variable.
        """
        args = self._parse(self.share, line)
        if not args.names:
            options = (args.alias, args.bufsize, args.allow, args.max_chain, args.on)
            flags = (
                args.readonly,
                args.frozen,
                args.inplace,
                args.no_handover,
                args.insecure,
            )
            if any(flags) or any(option is not None for option in options):
                raise UsageError(
                    "%share with options must be given the name of a variable, as in "
                    "%share df --readonly"
                )
            return Table(overview_of(self._session))
        if args.alias is not None:
            if len(args.names) > 1:
                raise UsageError(
                    f"--as must be used with one variable, not {len(args.names)}: use "
                    "one %share for each variable."
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
            None if args.on is None else find_engine(self._cluster(args.on)),
            args.insecure,
        )
        wishes = [self._wish(name, args.alias) for name in args.names]
        before = {one.name: one.terms.on for one in self._session.names}
        proxies = Proxies(self._session.share(wishes, terms))
        self._restore()
        value: Proxy | Proxies = proxies if len(proxies) > 1 else proxies[0]
        if not args.is_silent:
            # A read-only name stays read-only when --allow adds names to it.
            shared = {one.name: one.terms for one in self._session.names}
            lines = [
                answer_of(wish, shared.get(wish.name, terms), before.get(wish.name))
                for wish in wishes
            ]
            self._answers.give(value, "\n".join(lines))
        return value

    @line_magic
    @in_one_line
    @magic_arguments()
    @argument("names", metavar="NAME", nargs="*", help="Shared names.")
    @argument("--all", action="store_true", help="Unshare all names.")
    @argument("--help", action="store_true", help="Show this help.")
    def unshare(self, line: str) -> None:
        """
        Stop sharing names; proxies that workers hold then raise ProxyObjectNotFound.
        """
        args = self._parse(self.unshare, line)
        if args.all == bool(args.names):
            raise UsageError(
                "%unshare must be given names or --all, as in %unshare df"
                if not args.all
                else "%unshare must be given either names or --all, not both."
            )
        # Accept names in the form that %share prints: shared.df.
        names = [name.removeprefix("shared.") for name in args.names]
        known = [shared.name for shared in self._session.names]
        self._session.unshare(known if args.all else names)

    @line_magic
    @in_one_line
    @magic_arguments()
    @argument(
        "word", type=duck_word, choices=DUCK_WORDS, nargs="?", help="The command."
    )
    @argument("--help", action="store_true", help="Show this help.")
    @argument_group("doctor")
    @argument("--clean", action="store_true", help="Remove what ended processes left.")
    def duck(self, line: str) -> Any:
        """
        Manage the server: ``status`` shows its state, ``stop`` ends it.

        ``monitor`` shows its state live, also while a cell runs; where widgets cannot
        be shown, as in a terminal, it shows the same as ``status``.

        ``doctor`` shows the space for blocks of shared memory, the blocks of this
        kernel, and the files that killed kernels left; with ``--clean`` it removes
        these files.
        """
        args = self._parse(self.duck, line)
        word = args.word
        if args.clean and word != "doctor":
            raise UsageError("--clean must be used with doctor: %duck doctor --clean")
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
            # Users add comments, a semicolon at the end, and commas between names.
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise UsageError(f"The line cannot be parsed: {error}.") from None
        is_silent = bool(words) and words[-1].endswith(";")
        if is_silent:
            last = words.pop().rstrip(";")
            words += [last] if last else []
        # Names may also come after options: %share df --readonly cfg
        args = magic.parser.parse_intermixed_args(words)
        if args.help:
            raise HelpWanted
        args.is_silent = is_silent
        if hasattr(args, "names"):
            listed = [part for word in args.names for part in word.split(",") if part]
            args.names = list(dict.fromkeys(listed))
        return args

    def _cluster(self, word: str) -> Any:
        """
        Return what ``--on`` names: the client in a variable, or the word itself.
        """
        if word not in WORDS and word not in self._namespace:
            close = close_to(word.lower(), WORDS)
            raise UsageError(
                "--on must be dask, ray or the variable of a client of Dask, not "
                f"{word!r}, which is no variable here."
                + (close or " Make one first: client = Client(ADDRESS)")
            )
        return word if word in WORDS else self._namespace[word]

    def _wish(self, variable: str, alias: str | None) -> Wish:
        if variable.startswith("("):
            # Without the percent sign, IPython takes a call of a missing name as this.
            raise UsageError(
                "The function share must be imported before it is called: "
                "from duck_jupyter import share"
            )
        if not variable.isidentifier():
            raise UsageError(
                f"%share must be given the name of a variable, not {variable!r}. "
                "Assign the object to a variable first."
            )
        if variable not in self._namespace:
            # The advice in an error writes %share with the name that a worker knows.
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
