"""
Versions of the package beside each other: each runs in processes of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Version"]

PROGRAM = Path(__file__).with_name("contentionworkers.py")
#: Unlike ``python FILE`` this puts the working directory first on the path of modules.
START = (
    "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], None, '__main__')"
)
DEADLINE_S = 180.0
CLOSE_S = 10.0


class Version:
    """
    The program `contentionworkers` with one version of the package.

    Args:
        folder: A checkout of the version.
        kind: ``"package"``, or ``"manager"`` for a Manager's lock.

    Raises:
        FileNotFoundError: The folder has no package.
    """

    def __init__(self, folder: Path, kind: str = "package") -> None:
        folder = folder.resolve()
        package = folder / "duck_jupyter" / "__init__.py"
        if not package.exists():
            raise FileNotFoundError(f"{folder} must be a checkout, with {package}.")
        self._name = f"The {kind} of {folder}"
        self._pipe, theirs = Pipe()
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, PROGRAM, kind, str(descriptor)],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(folder)},
                pass_fds=[descriptor],
            )

    def run(self, job: str, *args: Any) -> Any:
        """
        Have a job done.

        Args:
            job: A method of `contentionworkers.Subject`.
            args: Its arguments.

        Raises:
            RuntimeError: It raised, ended its process, or takes too long.
        """
        self._pipe.send((job, args))
        if not self._pipe.poll(DEADLINE_S):
            raise RuntimeError(f"{self._name} did not answer within {DEADLINE_S:g} s.")
        try:
            error, value = self._pipe.recv()
        except EOFError:
            raise RuntimeError(f"{self._name} ended.") from None
        if error:
            raise RuntimeError(f"{self._name} failed:\n{error}")
        return value

    def close(self) -> None:
        """
        End the program.
        """
        self._pipe.close()
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
