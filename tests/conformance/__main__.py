"""
``python -m tests.conformance [SUITE ...] [--sdists FOLDER] [--all]``.

It prints a Markdown table. Differences that are not in ``known.txt``, and entries of
that list whose tests pass now, go to the error output; the exit code is 1 if there are
any. It is 2 where the tests themselves are missing. On another Python than that of the
list nothing is compared.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from .foreign import FOLDER_VARIABLE, REQUIREMENTS
from .known import LIST, PYTHON, read_known
from .report import Found, as_markdown
from .running import run_suite
from .suites import SUITES, Suite

__all__ = ["main"]


def main() -> None:
    """
    Do as the command line says.
    """
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description="Run tests that others wrote against proxies of objects elsewhere.",
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(names))
    parser.add_argument(
        "--sdists",
        metavar="FOLDER",
        type=Path,
        help=f"where the sdists are that {REQUIREMENTS} names",
    )
    parser.add_argument("--all", action="store_true", help="tell every difference")
    options = parser.parse_args()
    if unknown := set(options.suites) - set(names):
        parser.error(f"SUITE must be of {', '.join(names)}, not {', '.join(unknown)}")
    if options.sdists:
        os.environ[FOLDER_VARIABLE] = str(options.sdists.resolve())
    chosen = [suite for suite in SUITES if suite.name in (options.suites or names)]
    if missing := missing_for(chosen):
        parser.exit(2, missing)
    found = [run_both(suite) for suite in chosen]
    if sys.version_info[:2] == PYTHON:
        known = read_known(LIST.read_text(encoding="utf-8"))
        wrong = [line for one in found for line in one.judge(known)]
    else:
        wrong = []
        tell(
            f"Nothing was compared: {LIST.name} is the list of Python "
            f"{PYTHON[0]}.{PYTHON[1]}, and other versions have other tests."
        )
    told = [one.tell(name) for one in found for name in one.lost]
    for line in told if options.all else wrong:
        tell(line)
    sys.stdout.write(as_markdown(found))
    sys.exit(1 if wrong else 0)


def run_both(suite: Suite) -> Found:
    """
    Run a suite on objects and on proxies.
    """
    return Found(
        suite,
        run_suite(suite.name, on_proxies=False, say=tell),
        run_suite(suite.name, on_proxies=True, say=tell),
    )


def missing_for(suites: list[Suite]) -> str:
    """
    Say which tests of suites are not there, and what to do; empty where all are.
    """
    texts = []
    own = [suite.name for suite in suites if not suite.from_sdist]
    if own and not has_tests():
        texts.append(
            f"{', '.join(own)}: the package `test` of Python is missing. Install it "
            "(libpython3-testsuite on Debian and Ubuntu), or use an interpreter that "
            "was built from a source release.\n"
        )
    foreign = [suite.name for suite in suites if suite.from_sdist]
    if foreign and FOLDER_VARIABLE not in os.environ:
        texts.append(
            f"{', '.join(foreign)}: the sdists are missing. Run `python -m pip "
            f"download --no-deps --no-binary :all: -d FOLDER -r {REQUIREMENTS}` and "
            "pass `--sdists FOLDER`, or name the other suites.\n"
        )
    return "".join(texts)


def has_tests() -> bool:
    """
    Tell whether the interpreter has its tests; some have only ``test.support``.
    """
    try:
        return importlib.util.find_spec("test.test_list") is not None
    except ModuleNotFoundError:
        return False


def tell(text: str) -> None:
    """
    Write to the error output.
    """
    if text:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
