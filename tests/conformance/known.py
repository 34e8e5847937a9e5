"""
The committed list of tests that pass on objects and not on their proxies, with reasons.

``known.txt`` has one block for each reason. It begins with ``#`` and the reason, which
may take several lines; below it are the tests, as ``suite/Class.test``. A range of
Python versions, such as ``[<3.12]`` or ``[>=3.12]``, limits an entry to these. Tests
below a reason that begins with `SLOW` may pass as well: that depends on the machine.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["LIST", "SLOW", "Known", "read_known"]

#: How the reason of tests begins that may not end in time.
SLOW = "Slow:"
LIST = Path(__file__).with_name("known.txt")
ENTRY = re.compile(r"(?P<test>\w+/\w+\.\w+)(?: \[(?P<when>>=|<)3\.(?P<minor>\d+)\])?")

#: The reason of each known difference, by ``suite/Class.test``.
Known = dict[str, str]


def read_known(text: str, version: tuple[int, int] = sys.version_info[:2]) -> Known:
    """
    Read the list.

    Args:
        text: What the file contains.
        version: The Python version whose entries are wanted.

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
        entry = ENTRY.fullmatch(line)
        if entry is None or not any(reason):
            raise ValueError(
                f"Line {number} must be '# a reason', or 'suite/Class.test' below one, "
                f"not {line!r}."
            )
        if not _holds(entry, version):
            continue
        if entry["test"] in known:
            raise ValueError(f"Line {number} must name a new test, not {line!r} again.")
        known[entry["test"]] = " ".join(reason)
    return known


def _holds(entry: re.Match[str], version: tuple[int, int]) -> bool:
    if entry["when"] is None:
        return True
    limit = (3, int(entry["minor"]))
    return version >= limit if entry["when"] == ">=" else version < limit
