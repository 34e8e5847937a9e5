"""
Names of kernels; those that a server of Jupyter knows are in `tests.browser`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.cli.kernels import KernelFile
from duck_jupyter.cli.notebooks import titles_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder in which servers and kernels are looked for.
    """
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def kernel(runtime: Path, name: str, **info: Any) -> KernelFile:
    """
    Write a connection file.
    """
    path = runtime / f"kernel-{name}.json"
    path.write_text(json.dumps(info))
    return KernelFile(path)


def names(*files: KernelFile) -> list[str]:
    """
    Give the names of kernels, in their order.
    """
    titles = titles_of(files)
    return [titles[file.path] for file in files]


def test_a_kernel_is_named_by_the_notebook_that_it_was_started_for(
    runtime: Path,
) -> None:
    one = kernel(runtime, "one", jupyter_session="/notebooks/analysis.ipynb")
    other = kernel(runtime, "two", jupyter_session="plots.ipynb")
    assert names(one, other) == ["analysis.ipynb", "plots.ipynb"]


def test_notebooks_of_one_name_are_told_apart_by_their_paths(runtime: Path) -> None:
    paths = ["/a/x.ipynb", "/b/x.ipynb", "/b/y.ipynb"]
    files = [
        kernel(runtime, str(at), jupyter_session=path) for at, path in enumerate(paths)
    ]
    assert names(*files) == ["/a/x.ipynb", "/b/x.ipynb", "y.ipynb"]


@pytest.mark.parametrize("info", [{}, {"jupyter_session": ""}, {"jupyter_session": 3}])
def test_one_without_a_notebook_is_named_by_its_file(
    runtime: Path, info: dict[str, Any]
) -> None:
    assert names(kernel(runtime, "17", **info)) == ["17"]


def test_a_broken_connection_file_names_nothing(runtime: Path) -> None:
    file = kernel(runtime, "broken")
    file.path.write_text("[")
    assert names(file) == ["broken"]


@pytest.mark.parametrize(
    "server",
    [
        "{",
        "[]",
        '{"url": "http://127.0.0.1:1/", "token": "t"}',
        '{"url": "http://127.0.0.1:1/", "token": "t", "pid": PID}',
        '{"url": "http+unix://%2Ftmp%2Fx/", "token": "", "pid": PID}',
        '{"url": "nothing", "token": "", "pid": PID}',
    ],
)
def test_a_server_that_does_not_answer_is_passed_over(
    runtime: Path, server: str
) -> None:
    (runtime / "jpserver-1.json").write_text(server.replace("PID", str(os.getpid())))
    file = kernel(runtime, "one", jupyter_session="/notebooks/analysis.ipynb")
    assert names(file) == ["analysis.ipynb"]
