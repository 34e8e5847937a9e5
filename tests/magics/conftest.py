"""
Shells and kernels for tests, and what runs cells in them.
"""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from duck_jupyter.session.api import own_session

from .cells import Cells
from .kernels import Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def config() -> Config:
    """
    The configuration of the shell; a test may change it before it asks for `shell`.
    """
    config = Config()
    config.HistoryManager.enabled = False
    return config


@pytest.fixture
def shell(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InteractiveShell]:
    """
    A plain shell of its own, and not the global one of IPython's testing module.
    """
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell: Any = InteractiveShell.instance(config=config)
    with shell.builtin_trap:
        yield shell
    shell.run_line_magic("unload_ext", "duck_jupyter")
    own_session().stop()
    # It has put a module of its own in the place of __main__.
    shell.cleanup()
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()
    InteractiveShell.clear_instance()


@pytest.fixture
def cells(shell: InteractiveShell) -> Cells:
    """
    A notebook of the shell in which the extension is loaded.
    """
    cells = Cells(shell)
    cells.run("%load_ext duck_jupyter")
    return cells


@pytest.fixture
def kernel(own_folders: None) -> Iterator[Kernel]:
    """
    A kernel in a process of its own, in which nothing is loaded.
    """
    with Kernel() as kernel:
        yield kernel
