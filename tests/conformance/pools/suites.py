"""
Which tests are run, and where they are.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOLDER_VARIABLE", "SUITES", "PoolSuite", "missing_for"]

#: Names the folder of the sdists.
FOLDER_VARIABLE = "DUCK_POOL_SDISTS"
#: CPython's tests of executors are one module up to Python 3.11.
FUTURES = (
    tuple(
        f"test.test_concurrent_futures.test_{name}"
        for name in ("as_completed", "deadlock", "init", "process_pool", "wait")
    )
    if sys.version_info >= (3, 12)
    else ("test.test_concurrent_futures",)
)


@dataclass(frozen=True)
class PoolSuite:
    """
    Tests that are counted together.

    Args:
        name: What it is called in the table.
        modules: The test modules; with a sdist, files in it.
        chosen: Which of their tests, as pytest's ``-k``.
        quick: Which of these CI runs, as ``-k`` too; "" for none.
        sdist: The library in whose sdist the tests are; "" where they are installed.
    """

    name: str
    modules: tuple[str, ...]
    chosen: str = ""
    quick: str = ""
    sdist: str = ""

    def words(self, folder: Path, *, is_quick: bool) -> list[str]:
        """
        Give pytest's arguments.

        Args:
            folder: Where the sdist was unpacked.
            is_quick: Only what CI runs.
        """
        if self.sdist:
            where = [str(folder / module) for module in self.modules]
        else:
            where = ["--pyargs", *self.modules]
        limits = self.chosen, self.quick if is_quick else ""
        chosen = [f"({limit})" for limit in limits if limit]
        return [*where, *(["-k", " and ".join(chosen)] if chosen else [])]

    def unpack(self, folder: Path) -> Path:
        """
        Unpack the sdist; give the folder in which the tests are run.
        """
        if not self.sdist:
            return folder
        sdists = Path(os.environ[FOLDER_VARIABLE])
        (found,) = sdists.glob(f"{self.sdist}-*.tar.gz")
        with tarfile.open(found) as archive:
            archive.extractall(folder, filter="data")
        return folder / found.name.removesuffix(".tar.gz")


def of_multiprocessing(method: str, quick: str) -> PoolSuite:
    """
    Give CPython's tests of multiprocessing with one start method.
    """
    return PoolSuite(
        f"multiprocessing {method}",
        (f"test.test_multiprocessing_{method}",),
        "TestPool or TestProcess or TestQueue or TestSimpleQueue or TestImap",
        quick,
    )


QUICK_POOL = "WithProcessesTestPool and not Lifetime and not terminate"

SUITES = (
    PoolSuite(
        "executors",
        FUTURES,
        "ProcessPool",
        "ProcessPoolForkProcessPoolExecutorTest and not map_timeout",
    ),
    of_multiprocessing("fork", QUICK_POOL),
    of_multiprocessing("forkserver", ""),
    of_multiprocessing("spawn", ""),
    PoolSuite(
        "joblib",
        ("joblib.test.test_parallel",),
        quick="error_capture and multiprocessing or dispatch_one_job",
    ),
    PoolSuite(
        "loky",
        ("tests/test_process_executor_loky.py", "tests/test_reusable_executor.py"),
        sdist="loky",
    ),
)


def missing_for(suites: list[PoolSuite]) -> str:
    """
    Say which tests of suites are not there, and what to do; empty where all are.
    """
    texts = []
    names = {x.partition(".")[0] for suite in suites for x in suite.modules}
    if "test" in names and not has_tests():
        texts.append(
            "CPython's tests of pools are missing. Install them (libpython3-testsuite "
            "on Debian and Ubuntu), or use an interpreter that was built from a source "
            "release.\n"
        )
    sdists = [suite.sdist for suite in suites if suite.sdist]
    if sdists and FOLDER_VARIABLE not in os.environ:
        texts.append(
            f"The sdist of {', '.join(sdists)} is missing. Run `python -m pip download "
            "--no-deps --no-binary :all: -d FOLDER -r tests/conformance/pools/"
            "sdists.txt` and pass `--sdists FOLDER`, or name the other suites.\n"
        )
    return "".join(texts)


def has_tests() -> bool:
    """
    Tell whether the interpreter has CPython's tests of pools.
    """
    names = ("test.test_concurrent_futures", "test.test_multiprocessing_fork")
    try:
        return all(importlib.util.find_spec(name) is not None for name in names)
    except ModuleNotFoundError:
        return False
