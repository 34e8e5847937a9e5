"""
Data without copies in numbers: ``python -m tests.benchmarks.data [--quick]``.

One table: what is promised, what is measured, and the same of plain pickling, of
joblib's memmapping, of Ray where it is installed, or of ``np.copyto``, in the same
run. A row that does not hold is no failure of the run: it says so in the table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .datamemory import measure_memory
from .datapublishing import measure_fetch, measure_handles, measure_publishing
from .datasizes import FULL_DATA, QUICK_DATA
from .datatasks import measure_tasks
from .machine import describe_machine
from .table import as_json, as_text

__all__ = ["main"]


def main() -> None:
    """
    Measure, and print the table.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.data",
        description="Measure shared data beside pickling, joblib, Ray and numpy.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="seconds, with numbers that mean little"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write it for programs as well"
    )
    options = parser.parse_args()
    size = QUICK_DATA if options.quick else FULL_DATA
    machine = describe_machine()
    rows = measure_tasks(size)
    rows += measure_fetch(size)
    rows += measure_publishing(size)
    rows += measure_memory(size)
    rows += measure_handles()
    if options.json is not None:
        options.json.write_text(as_json(rows, machine))
    print(as_text(rows, machine), end="")


if __name__ == "__main__":
    main()
