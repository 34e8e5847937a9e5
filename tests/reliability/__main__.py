"""
``python -m tests.reliability [--quick] [--seconds N] [--seed S] [--json]``.

It prints a Markdown table; failures, with the line that repeats each, go to the error
output as they come. The exit code is 1 where a column is not zero that must be.
"""

from __future__ import annotations

import argparse
import json
import sys

from .campaign import Size, run_campaign
from .plans import KINDS, make_plan
from .round import confine, run_round
from .totals import Totals, as_markdown

__all__ = ["main"]

FULL = Size(seconds=600.0, round_s=4.0)
QUICK = Size(seconds=30.0, round_s=2.5, quick=True)


def main() -> None:
    """
    Do as the command line says.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.reliability",
        description="Try what interrupts, kills and crowds do to calls, and count it.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="half a minute, small crowds"
    )
    parser.add_argument(
        "--seconds", type=float, help="how long in all; with --round, of that round"
    )
    parser.add_argument("--seed", type=int, default=1, help="what is chosen at random")
    parser.add_argument("--round", choices=KINDS, help="only this round, right here")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    if options.round:
        seconds = options.seconds or size.round_s
        plan = make_plan(options.round, options.seed, seconds, quick=options.quick)
        confine(plan)
        found = {options.round: run_round(plan)}
    else:
        seconds = options.seconds or size.seconds
        size = Size(seconds, size.round_s, size.quick)
        found = run_campaign(size, options.seed, tell)
    total = Totals()
    for one in found.values():
        total.add(one)
        total.notes += one.notes
    if options.json:
        by_kind = {kind: one.as_dict() for kind, one in found.items()}
        whole = {**total.as_dict(), "by_kind": by_kind}
        sys.stdout.write(json.dumps(whole, indent=2) + "\n")
    else:
        sys.stdout.write(as_markdown(found))
        if options.round and total.failures:
            tell("\n".join(total.notes))
    sys.exit(1 if total.failures else 0)


def tell(text: str) -> None:
    """
    Say what failed.
    """
    sys.stderr.write(f"{text}\n\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
