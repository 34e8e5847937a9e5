"""
The commands of ``jupyter duck``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.prompt import IntPrompt
from rich.table import Table

from ..errors import KernelGone, NotShared, ProxyError
from ..protocol.escaping import printable
from ..session.api import own_session
from ..session.doctor import clean, examine, sections_of
from ..stats.text import many
from .kernels import (
    SHORT_PATIENCE_S,
    KernelFile,
    KernelLink,
    link_to,
    running_kernels,
    the_file,
)
from .notebooks import titles_of
from .top import print_all, print_once, show_live
from .watching import watching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["main"]

INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> int:
    """
    Run a command.

    Args:
        args: The arguments after ``jupyter duck``; those of this process by default.

    Returns:
        The exit code: 0, or 1 with a message on stderr.
    """
    options = _parser().parse_args(args)
    # Names of objects may look like markup.
    console = Console(markup=False, highlight=False)
    try:
        options.run(options, console)
    except ProxyError as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe. Python would report that when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter duck",
        description="Show what running kernels share with workers.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    top = commands.add_parser("top", help="show a kernel live, also while a cell runs")
    top.add_argument(
        "--existing",
        metavar="FILE-OR-ID",
        help="the kernel's connection file, or a part of its name",
    )
    top.add_argument(
        "--json", action="store_true", help="print JSON, one snapshot a line"
    )
    top.add_argument(
        "--once", action="store_true", help="print the state once, and do not stay live"
    )
    top.set_defaults(run=_top)
    listed = commands.add_parser("list", help="list the running kernels")
    listed.set_defaults(run=_list)
    doctor = commands.add_parser(
        "doctor", help="show the space for shared memory, and what killed kernels left"
    )
    doctor.add_argument(
        "--clean", action="store_true", help="remove what killed kernels left"
    )
    doctor.set_defaults(run=_doctor)
    return parser


def _top(options: argparse.Namespace, console: Console) -> None:
    is_live = not options.once and not options.json and _is_terminal(console)
    with _leaving_at_signals(interrupted=0 if is_live else INTERRUPTED):
        file = _chosen(options, console)
        if options.once or not (is_live or options.json):
            with link_to(file) as link:
                print_once(link, console, as_json=options.json)
            return
        title = titles_of([file])[file.path]
        with link_to(file, hears=True) as link, watching(link) as watched:
            if options.json:
                print_all(watched)
            show_live(watched, console, title)


def _is_terminal(console: Console) -> bool:
    return sys.stdout.isatty() and not console.is_dumb_terminal


@contextmanager
def _leaving_at_signals(*, interrupted: int) -> Iterator[None]:
    """
    Let a process that gets a signal leave its ``with`` blocks, to tell the kernel.

    Args:
        interrupted: The exit code of Ctrl-C.
    """
    codes = {
        signal.SIGINT: interrupted,
        signal.SIGTERM: 128 + signal.SIGTERM,
        signal.SIGHUP: 128 + signal.SIGHUP,
    }

    def leave(number: int, frame: object) -> NoReturn:
        # Ignore further signals: they must not prevent restoring the terminal.
        for other in codes:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(codes[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in codes}
    try:
        for number in codes:
            signal.signal(number, leave)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _chosen(options: argparse.Namespace, console: Console) -> KernelFile:
    if options.existing:
        file = the_file(options.existing)
        if not file.is_alive():
            raise KernelGone(f"The kernel {file.name} has ended.")
        return file
    files = running_kernels()
    if not files:
        raise NotShared(
            "No kernel of this user runs. Start a notebook, and in it: %load_ext "
            "duck_jupyter"
        )
    if len(files) == 1:
        return files[0]
    titles = titles_of(files)
    if not sys.stdin.isatty():
        names = ", ".join(f"{file.name} ({titles[file.path]})" for file in files)
        raise NotShared(
            f"{len(files)} kernels run: choose one with --existing NAME. They are "
            f"{names}."
        )
    for number, file in enumerate(files, 1):
        words = f"{number:3}  {titles[file.path]}  {_words_for(file)}"
        console.print(printable(words), no_wrap=True, overflow="ellipsis")
    choices = [str(number) for number in range(1, len(files) + 1)]
    try:
        number = IntPrompt.ask(
            "Which kernel", choices=choices, console=console, default=1
        )
    except EOFError:
        raise SystemExit(0) from None
    return files[number - 1]


def _list(options: argparse.Namespace, console: Console) -> None:
    files = running_kernels()
    if not files:
        console.print("No kernel of this user runs.")
        return
    titles = titles_of(files)
    width = max(cell_len(printable(title)) for title in titles.values())
    for file in files:
        title = set_cell_size(printable(titles[file.path]), width)
        # The path is on a line of its own, so it can be copied from any terminal.
        words = f"{title}  {printable(_words_for(file))}"
        console.print(f"{words}\n    {file.path}", soft_wrap=True)


def _words_for(file: KernelFile) -> str:
    with link_to(file) as link:
        return _words_of(link)


def _words_of(link: KernelLink) -> str:
    kernel = link.identity(SHORT_PATIENCE_S)
    if kernel is None:
        return "it does not answer"
    if kernel.language != "python":
        return f"nothing: it speaks {kernel.language}"
    if not kernel.is_loaded:
        return "nothing: the extension is not loaded"
    try:
        found = link.look(SHORT_PATIENCE_S)
    except ProxyError as error:
        return str(error)
    roots = [row.path for row in found.objects if not row.level]
    if not roots:
        return "nothing yet"
    served = sum(worker.is_served for worker in found.workers)
    return f"{', '.join(roots)}; {many(served, 'worker')}"


def _doctor(options: argparse.Namespace, console: Console) -> None:
    report = examine(own_session())
    removed = clean(report) if options.clean else None
    command = "jupyter duck doctor --clean"
    for section in sections_of(report, removed, command):
        console.print(printable(section.sentence))
        if section.rows:
            table = Table(box=None, pad_edge=False)
            for heading in section.headings:
                table.add_column(heading, overflow="fold")
            for row in section.rows:
                table.add_row(*map(printable, row))
            console.print(table)
        console.print()
