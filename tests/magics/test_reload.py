"""
%reload_ext, in a shell where something is shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duck_jupyter.session.api import own_session, shared

if TYPE_CHECKING:
    from .cells import Cells


def test_reloading_keeps_what_is_shared(cells: Cells) -> None:
    cells.run("df = [1, 2, 3]\n%share df;")
    proxy, server = shared.df, own_session().server
    cells.run("%reload_ext duck_jupyter")
    assert own_session().server is server
    assert shared.df is proxy
    assert len(proxy) == 3
    cells.run("df = [1]")
    assert len(proxy) == 1


def test_reloading_brings_deleted_names_back(cells: Cells) -> None:
    cells.run("del shared, ref")
    cells.run("%reload_ext duck_jupyter")
    assert cells.run("shared") is shared


def test_reloading_loads_what_is_not_loaded(cells: Cells) -> None:
    cells.run("%unload_ext duck_jupyter")
    cells.run("%reload_ext duck_jupyter")
    cells.run("df = [1]\n%share df;")
    assert list(shared) == ["df"]


def test_after_reloading_it_can_be_unloaded(cells: Cells) -> None:
    cells.run("df = [1]\n%share df;")
    cells.run("%reload_ext duck_jupyter")
    cells.run("%unload_ext duck_jupyter")
    assert own_session().server is None
    assert "shared" not in cells.shell.user_ns
