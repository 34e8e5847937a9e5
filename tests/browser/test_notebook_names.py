"""
The names of notebooks in a terminal, as a server of Jupyter tells them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest

from duck_jupyter.cli.kernels import running_kernels
from tests.cli.commands import duck
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .lab import Lab

KERNEL = {"name": "python3"}
#: Seconds that a kernel takes to begin on a busy machine.
START_S = 60.0


@pytest.fixture
def kernels(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """
    The server, whose kernels end with the test; commands find them.
    """
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(lab.runtime))
    lab.end_kernels()
    yield lab
    lab.end_kernels()


def listed() -> list[str]:
    """
    Give the first words of what `jupyter duck list` says of each kernel.
    """
    # The server has started it, and it does not listen at once.
    assert wait_until(lambda: len(running_kernels()) == 1, START_S)
    done = duck("list")
    assert done.returncode == 0, done.stderr
    return [line.split("  ")[0] for line in done.stdout.splitlines()[::2]]


def test_a_notebook_has_its_name_also_after_it_was_renamed(kernels: Lab) -> None:
    (kernels.notebooks / "work").mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(), kernels.notebooks / "Untitled.ipynb")
    session = kernels.ask(
        "api/sessions",
        "POST",
        {
            **{"path": "Untitled.ipynb", "name": "Untitled.ipynb"},
            **{"type": "notebook", "kernel": KERNEL},
        },
    )
    assert listed() == ["Untitled.ipynb"]
    path = "work/analysis.ipynb"
    kernels.ask("api/contents/Untitled.ipynb", "PATCH", {"path": path})
    kernels.ask(f"api/sessions/{session['id']}", "PATCH", {"path": path})
    assert listed() == ["analysis.ipynb"]


def test_a_console_has_the_name_that_jupyterlab_gives_it(kernels: Lab) -> None:
    kernels.ask(
        "api/sessions",
        "POST",
        {
            **{"path": "console-1-6f3c", "name": "Console 1"},
            **{"type": "console", "kernel": KERNEL},
        },
    )
    assert listed() == ["Console 1"]


def test_a_kernel_without_a_session_has_the_name_of_its_file(kernels: Lab) -> None:
    kernel = kernels.ask("api/kernels", "POST", KERNEL)
    assert listed() == [kernel["id"]]
