"""
The committed list of tests that pass on objects and not on their proxies, with reasons.

``known.txt`` has one block for each reason. It begins with ``#`` and the reason, which
may take several lines; below it are the tests, as ``suite/Class.test``. Tests below a
reason that begins with `NOT_RUN` are left out on proxies, and count as differences.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["LIST", "PYTHON", "Known", "is_run", "read_known"]

#: How the reason of tests begins that take too long, or pass on some days only.
NOT_RUN = "Not run:"
#: The Python whose tests are in the list: other versions have others.
PYTHON = (3, 11)
LIST = Path(__file__).with_name("known.txt")
ENTRY = re.compile(r"\w+/\w+\.\w+")

#: The reason of each known difference, by ``suite/Class.test``.
Known = dict[str, str]


def read_known(text: str) -> Known:
    """
    Read the list.

    Args:
        text: What the file contains.

    Raises:
        ValueError: A line is no reason and no entry, an entry has no reason, or a test
            has two.
    """
    known: Known = {}
    reason: list[str] = []
    is_reason = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            reason = [*reason, line[1:].strip()] if is_reason else [line[1:].strip()]
            is_reason = True
            continue
        if not line.strip():
            continue
        is_reason = False
        if ENTRY.fullmatch(line) is None or not any(reason):
            raise ValueError(
                f"Line {number} must be '# a reason', or 'suite/Class.test' below one, "
                f"not {line!r}."
            )
        if line in known:
            raise ValueError(f"Line {number} must name a new test, not {line!r} again.")
        known[line] = " ".join(reason)
    return known


def is_run(known: Known, test: str) -> bool:
    """
    Tell whether a test is run on proxies.

    Args:
        known: The list.
        test: The test, as ``suite/Class.test``.
    """
    return not known.get(test, "").startswith(NOT_RUN)
