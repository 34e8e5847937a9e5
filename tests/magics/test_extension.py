"""
The extension comes into a shell, and leaves it as it was.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from traitlets import TraitError

from duck_jupyter import load_ipython_extension, share, unload_ipython_extension
from duck_jupyter.client.locking import locked
from duck_jupyter.client.references import ref
from duck_jupyter.session.api import own_session, shared
from tests.support.processes import wait_until

from .cells import Cells, own_threads

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config


# What IPython counts and keeps of the last cell.
PASSING = {"execution_count", "last_execution_result", "last_execution_succeeded"}


def look_at(shell: Any) -> dict[str, Any]:
    """
    Note all of a shell that an extension may change.
    """
    manager = shell.magics_manager
    completer: Any = shell.Completer
    return {
        "user_ns": dict(shell.user_ns),
        "user_ns_hidden": dict(shell.user_ns_hidden),
        "magics": {kind: dict(table) for kind, table in manager.magics.items()},
        "registry": dict(manager.registry),
        "events": {name: list(c) for name, c in shell.events.callbacks.items()},
        "matchers": list(completer.custom_matchers),
        "completers": repr(completer.custom_completers),
        "hooks": repr(shell.strdispatchers),
        "configurables": list(shell.configurables),
        "formatters": {
            kind: (dict(f.type_printers), dict(f.deferred_printers))
            for kind, f in shell.display_formatter.formatters.items()
        },
        "custom exceptions": (shell.custom_exceptions, shell.CustomTB),
        "trait values": {
            name: value
            for name, value in shell.trait_values().items()
            if name not in PASSING
        },
        "input transformers": list(shell.input_transformers_post),
        "switch interval": sys.getswitchinterval(),
        "settings": own_session().settings,
        "observers": {
            (name, kind): list(observers)
            for name, kinds in shell._trait_notifiers.items()
            for kind, observers in kinds.items()
            if observers
        },
    }


@pytest.mark.parametrize("use", ["", "df = [1]\n%share df", "%duck status"])
def test_unload_restores_the_shell_exactly(shell: InteractiveShell, use: str) -> None:
    cells = Cells(shell)
    # IPython brings its own magics in when they are first used.
    cells.run("df = [1]\n%unload_ext duck_jupyter")
    # What IPython itself notes of each cell is not ours.
    noted = ("_i", "_", "In", "Out")
    before = look_at(shell)
    cells.run("%load_ext duck_jupyter")
    assert look_at(shell) != before
    cells.run(use)
    cells.run("%unload_ext duck_jupyter")
    after = look_at(shell)
    for space in ("user_ns", "user_ns_hidden"):
        for moment in (before, after):
            kept = moment[space].items()
            moment[space] = {k: v for k, v in kept if not k.startswith(noted)}
    assert after == before
    # A thread that was told to end may be on its last lines.
    assert wait_until(lambda: not own_threads())


def test_unload_brings_back_what_it_hid(shell: Any) -> None:
    def own_share(line: str) -> str:
        return f"mine: {line}"

    shell.register_magic_function(own_share, magic_name="share")
    cells = Cells(shell)
    cells.run("shared = 'mine'")
    cells.run("%load_ext duck_jupyter")
    assert cells["shared"] is shared
    cells.run("%unload_ext duck_jupyter")
    assert cells.run("shared == 'mine'")
    assert cells.run("%share x") == "mine: x"


def test_unload_lets_be_what_the_user_took_over(cells: Cells) -> None:
    cells.run("locked = 'mine'\ndel ref")
    cells.run("%unload_ext duck_jupyter")
    assert cells["locked"] == "mine"
    assert "ref" not in cells.shell.user_ns
    assert "shared" not in cells.shell.user_ns


def test_load_gives_what_a_notebook_needs_and_hides_it_from_who(cells: Cells) -> None:
    given = (cells["shared"], cells["locked"], cells["ref"])
    assert given == (shared, locked, ref)
    assert not {"shared", "locked", "ref"} & set(cells.run("%who_ls"))


def test_loading_twice_is_harmless(shell: InteractiveShell) -> None:
    before = look_at(shell)
    load_ipython_extension(shell)
    once = look_at(shell)
    load_ipython_extension(shell)
    assert look_at(shell) == once
    unload_ipython_extension(shell)
    unload_ipython_extension(shell)
    assert look_at(shell) == before


def test_reload_goes_on(cells: Cells) -> None:
    cells.run("df = [1]\n%share df")
    cells.run("%reload_ext duck_jupyter")
    cells.run("%share df")
    assert len(shared.df) == 1
    ours = [
        callback
        for callback in cells.shell.events.callbacks["post_execute"]
        if callback.__module__.startswith("duck_jupyter")
    ]
    assert len(ours) == 1


def test_a_server_from_before_the_load_outlives_the_unload(
    shell: InteractiveShell,
) -> None:
    share([1], name="before")
    cells = Cells(shell)
    cells.run("%load_ext duck_jupyter\ndf = [1]")
    cells.run("%share df")
    cells.run("%unload_ext duck_jupyter")
    assert list(shared) == ["before"]


def test_settings_come_from_the_configuration(
    config: Config, shell: InteractiveShell
) -> None:
    shell.config.DuckJupyter.bufsize = 4096
    shell.config.DuckJupyter.max_chain = 3
    shell.config.DuckJupyter.max_message = 10_000
    cells = Cells(shell)
    cells.run("%load_ext duck_jupyter\ndf = [1]")
    cells.run("%share df")
    server = own_session().server
    assert server is not None
    assert (server.bufsize, server.max_chain) == (4096, 3)
    assert server.max_message == 10_000


def test_a_setting_that_cannot_be_stops_the_load_and_changes_nothing(
    shell: InteractiveShell,
) -> None:
    shell.config.DuckJupyter.bufsize = 3
    before = look_at(shell)
    with pytest.raises(TraitError, match="bufsize must be an integer"):
        load_ipython_extension(shell)
    assert look_at(shell) == before


def test_config_changes_count_from_the_next_start(
    cells: Cells, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    cells.run("%config DuckJupyter.bufsize = 300\ndf = [1]")
    assert capsys.readouterr().out == ""
    cells.run("%share df")
    assert own_session().server is not None
    assert cells.run("%share").overview.rows[0].bufsize == 300
    capsys.readouterr()
    cells.run("%config DuckJupyter.max_message = 3_000_000")
    assert capsys.readouterr().out == (
        "DuckJupyter.max_message takes effect when the next server starts: run "
        "%duck stop, then share the names again.\n"
    )
    cells.run("%config DuckJupyter.interrupt_grace = 2.0")
    assert capsys.readouterr().out == ""
    cells.run("%duck stop")
    cells.run("%share df")
    server = own_session().server
    assert server is not None
    assert server.max_message == 3_000_000
    # IPython logs what cannot be.
    cells.run("%config DuckJupyter.bufsize = 3")
    assert "bufsize must be an integer" in caplog.text
    assert own_session().settings.bufsize == 300
