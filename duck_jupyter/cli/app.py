"""
The commands of ``jupyter duck``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.prompt import IntPrompt
from rich.table import Table

from ..errors import KernelGone, NotShared, ProxyError
from ..session.api import own_session
from ..session.doctor import clean, examine, sections_of
from ..stats.words import many
from .kernels import (
    SHORT_PATIENCE_S,
    KernelFile,
    KernelLink,
    link_to,
    running_kernels,
    the_file,
)
from .rates import Window
from .screen import screen_of
from .watching import watching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..session.snapshot import Snapshot
    from .watching import Watching

__all__ = ["main"]

#: Seconds from the first of two looks to the second.
APART_S = 1.0
#: Rates are those of so many seconds.
WINDOW_S = 10.0
INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> int:
    """
    Run a command.

    Args:
        args: The words after ``jupyter duck``; those of this process by default.

    Returns:
        The exit code: 0, or 1 with a sentence on stderr.
    """
    options = _parser().parse_args(args)
    # Names of people's things may look like markup.
    console = Console(markup=False, highlight=False)
    try:
        options.run(options, console)
    except ProxyError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe. Python would complain of that when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter duck", description="What running kernels share with workers."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    top = commands.add_parser("top", help="show it live, also while a cell runs")
    top.add_argument(
        "--existing",
        metavar="FILE-OR-ID",
        help="the kernel's connection file, or a part of its name",
    )
    top.add_argument("--json", action="store_true", help="one JSON text a line")
    top.add_argument("--once", action="store_true", help="once, and not live")
    top.set_defaults(run=_top)
    listed = commands.add_parser("list", help="list the kernels that run")
    listed.set_defaults(run=_list)
    doctor = commands.add_parser(
        "doctor", help="show the room for shared memory, and what dead kernels left"
    )
    doctor.add_argument("--clean", action="store_true", help="remove what they left")
    doctor.set_defaults(run=_doctor)
    return parser


def _top(options: argparse.Namespace, console: Console) -> None:
    file = _chosen(options, console)
    if options.once:
        with link_to(file) as link:
            _show_once(link, console, as_json=options.json)
        return
    with (
        _leaving_at_signals(),
        link_to(file, hears=True) as link,
        watching(link) as watched,
    ):
        if options.json:
            _print(watched.begin())
            while True:
                _print(watched.next())
        _show_live(watched, console)


@contextmanager
def _leaving_at_signals() -> Iterator[None]:
    """
    Let a process that is told to end leave its ``with`` blocks: it has to say goodbye.
    """
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _print(snapshot: Snapshot) -> None:
    print(msgspec.json.encode(snapshot).decode(), flush=True)


def _show_once(link: KernelLink, console: Console, *, as_json: bool) -> None:
    snapshot = link.look()
    if as_json:
        _print(snapshot)
        return
    window = Window(WINDOW_S)
    window.add(snapshot)
    # Rates need two looks.
    threading.Event().wait(APART_S)
    snapshot = link.look()
    window.add(snapshot)
    console.print(screen_of(snapshot, window))


def _show_live(watched: Watching, console: Console) -> None:
    window = Window(WINDOW_S)
    snapshot = watched.begin()
    window.add(snapshot)
    with Live(screen_of(snapshot, window), console=console, screen=True) as live:
        while True:
            try:
                snapshot = watched.next()
                window.add(snapshot)
                shown = screen_of(snapshot, window)
            except NotShared as error:
                # It may go on.
                shown = Group(str(error), screen_of(snapshot, window))
            live.update(shown, refresh=True)


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
    if not sys.stdin.isatty():
        names = ", ".join(file.name for file in files)
        raise NotShared(
            f"{len(files)} kernels run: choose one with --existing NAME. They are "
            f"{names}."
        )
    for number, file in enumerate(files, 1):
        console.print(f"{number:3}  {file.name}  {_words_for(file)}", highlight=False)
    choices = [str(number) for number in range(1, len(files) + 1)]
    number = IntPrompt.ask("Which kernel", choices=choices, console=console, default=1)
    return files[number - 1]


def _list(options: argparse.Namespace, console: Console) -> None:
    files = running_kernels()
    if not files:
        console.print("No kernel of this user runs.")
        return
    table = Table("Kernel", "Shares", box=None, pad_edge=False)
    table.add_column("Connection file", overflow="fold")
    for file in files:
        table.add_row(file.name, _words_for(file), str(file.path))
    console.print(table)


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
    return f"{', '.join(roots)}; {many(len(found.workers), 'worker')}"


def _doctor(options: argparse.Namespace, console: Console) -> None:
    report = examine(own_session())
    removed = clean(report) if options.clean else None
    command = "jupyter duck doctor --clean"
    for section in sections_of(report, removed, command):
        console.print(section.sentence)
        if section.rows:
            table = Table(box=None, pad_edge=False)
            for heading in section.headings:
                table.add_column(heading, overflow="fold")
            for row in section.rows:
                table.add_row(*row)
            console.print(table)
        console.print()
