"""
``python -m tests.conformance.pools [SUITE ...] [--sdists FOLDER] [--quick]``.

It prints a Markdown table. Tests that end otherwise with the extension loaded go to the
error output, and the exit code is 1 if there are any that are not in ``known.txt``. It
is 2 where the tests themselves are missing.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..__main__ import tell
from .compare import KNOWN, as_markdown, compare, is_known, read_known
from .suites import FOLDER_VARIABLE, SUITES, missing_for

__all__ = ["main"]


def main() -> None:
    """
    Do as the command line says.
    """
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance.pools",
        description="Run tests of pools without and with the extension loaded.",
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(names))
    parser.add_argument(
        "--sdists", metavar="FOLDER", type=Path, help="where loky's sdist is"
    )
    parser.add_argument("--quick", action="store_true", help="run what CI runs")
    options = parser.parse_args()
    if unknown := set(options.suites) - set(names):
        parser.error(f"SUITE must be of {', '.join(names)}, not {', '.join(unknown)}")
    if options.sdists:
        os.environ[FOLDER_VARIABLE] = str(options.sdists.resolve())
    chosen = [
        suite
        for suite in SUITES
        if suite.name in (options.suites or names)
        and (suite.quick or not options.quick)
    ]
    if missing := missing_for(chosen):
        parser.exit(2, missing)
    known = read_known(KNOWN.read_text(encoding="utf-8"))
    found = [
        compare(suite, is_quick=options.quick, say=tell, known=known)
        for suite in chosen
    ]
    wrong = [
        one.tell(name)
        for one in found
        for name in one.differing()
        if not is_known(name, known)
    ]
    for line in wrong:
        tell(line)
    sys.stdout.write(as_markdown(found, known))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
