"""
``python -m tests.conformance [SUITE ...] [--sdists FOLDER] [--all]``.

It prints a Markdown table. Differences that are not in ``known.txt``, and entries of
that list whose tests pass now, go to the error output; the exit code is 1 if there are
any. It needs the interpreter's ``test`` package. The suites of other libraries are left
out without the folder of their sdists.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .foreign import FOLDER_VARIABLE
from .known import LIST, read_known
from .report import Found, as_markdown
from .running import DEADLINE_S, run_suite
from .suites import SUITES

__all__ = ["main"]


def main() -> None:
    """
    Do as the command line says.
    """
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description="Run CPython's own tests against proxies of objects elsewhere.",
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(names))
    parser.add_argument(
        "--deadline",
        type=float,
        default=DEADLINE_S,
        help="seconds that a test may take",
    )
    parser.add_argument(
        "--sdists", metavar="FOLDER", help="where those of other libraries are"
    )
    parser.add_argument("--all", action="store_true", help="tell every difference")
    options = parser.parse_args()
    if unknown := set(options.suites) - set(names):
        parser.error(f"SUITE must be of {', '.join(names)}, not {', '.join(unknown)}")
    if options.sdists:
        os.environ[FOLDER_VARIABLE] = str(Path(options.sdists).resolve())
    known = read_known(LIST.read_text(encoding="utf-8"))
    found = []
    failed = False
    for suite in SUITES:
        if options.suites and suite.name not in options.suites:
            continue
        if suite.from_sdist and FOLDER_VARIABLE not in os.environ:
            tell(f"{suite.name}: left out; it needs --sdists")
            continue
        one = Found(
            suite,
            run_suite(
                suite.name, on_proxies=False, deadline=options.deadline, say=tell
            ),
            run_suite(suite.name, on_proxies=True, deadline=options.deadline, say=tell),
        )
        found.append(one)
        wrong = one.judge(known)
        failed = failed or bool(wrong)
        if options.all:
            wrong = [one.tell(name) for name in one.lost]
        for line in wrong:
            tell(line)
    sys.stdout.write(as_markdown(found))
    sys.exit(1 if failed else 0)


def tell(text: str) -> None:
    """
    Write to the error output.
    """
    if text:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
