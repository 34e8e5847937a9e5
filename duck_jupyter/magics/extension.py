"""
Loading the extension into a shell, and removing it completely.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from IPython.core.magic import magic_kinds

from ..client.fetching import fetch
from ..client.locking import locked
from ..client.references import ref
from ..monitor.comm import Sockets
from ..monitor.hub import Hub
from ..pools.features import features
from ..pools.install import install, is_installed, uninstall
from ..pools.interrupting import options
from ..pools.notebook import notebook
from ..pools.progress import options as progress_options
from ..pools.seen_sources import options as seen_options
from ..pools.shield import shield
from ..pools.unreached import explain
from ..session.api import own_session, shared
from ..session.settings import OF_SERVER, DuckJupyter
from .completion import make_matcher
from .display import Display
from .installed_key import Place
from .messages import Answers
from .monitor_display import is_in_cell
from .notebook import ShellNotebook
from .share import DuckMagics

if TYPE_CHECKING:
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]

#: The names that a notebook has without an import.
GIVEN: dict[str, Any] = {"shared": shared, "fetch": fetch, "locked": locked, "ref": ref}

#: The settings that take effect at once.
POOL_SETTINGS = ["pools", "interrupt_grace", "task_arguments", "progress"]

#: The monitor of this process's session. A view that was made before the extension was
#: unloaded continues when it is loaded again.
_hub = Hub(own_session())
_loaded: WeakKeyDictionary[InteractiveShell, Extension] = WeakKeyDictionary()


def load(shell: InteractiveShell) -> None:
    """
    Load the extension into a shell. If it is already loaded, restore only the names.

    Raises:
        TraitError: A setting of the configuration is not valid; nothing changed.
    """
    if shell in _loaded:
        _loaded[shell].restore()
    else:
        _loaded[shell] = Extension(shell)


def unload(shell: InteractiveShell) -> None:
    """
    Remove the extension from a shell. Repeated calls do nothing.

    ``%reload_ext`` unloads and loads the extension at once. In this case everything
    stays, also the shared names: reloading replaces one module, which holds no state.
    """
    if _is_reloading(shell):
        return
    extension = _loaded.pop(shell, None)
    if extension is not None:
        extension.unload()


def _is_reloading(shell: InteractiveShell) -> bool:
    manager: Any = shell.extension_manager
    code = type(manager).reload_extension.__code__
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


def _last_input(shell: InteractiveShell) -> str:
    history: Any = shell.history_manager
    return str(history.input_hist_raw[-1]) if history.input_hist_raw else ""


class Extension:
    """
    Everything that the extension adds to one shell.

    Args:
        shell: The shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        # First the steps that can fail.
        settings = DuckJupyter(parent=shell)
        self._shell = shell
        self._session = session = own_session()
        self._before = session.settings
        self._served_before = session.server is not None
        session.settings = self._settings = settings
        self._given_to_user, hidden = (
            [Place(namespace, name, value) for name, value in GIVEN.items()]
            for namespace in (shell.user_ns, shell.user_ns_hidden)
        )
        self._given = [*self._given_to_user, *hidden]
        self._hub = _hub
        self._answers = Answers()
        # The cell that loads the extension is already running.
        self._answers.cell_begins(_last_input(shell))
        self._magics = DuckMagics(
            shell, session, self._hub, self._answers, self.restore
        )
        manager = shell.magics_manager
        self._places = [Place(manager.registry, "DuckMagics", self._magics)]
        for kind in magic_kinds:
            table = manager.magics[kind]
            for name, magic in self._magics.magics[kind].items():
                self._places.append(Place(table, name, magic))
        self._display = Display(shell, session, self._answers)
        # So that %config finds them.
        # IPython's own annotation lists only the shell.
        self._configurables: list[Any] = cast("list[Any]", shell.configurables)
        self._configurables.append(settings)
        self._matcher = make_matcher(shell, session)
        shell.Completer.custom_matchers.append(self._matcher)
        shell.events.register("post_execute", self._follow)
        shell.events.register("pre_run_cell", self._cell_begins)
        shell.events.register("post_run_cell", self._cell_ends)
        #: The number of the cell that ended last.
        self._last_cell: int | None = None
        self._hub.start()
        kernel = getattr(shell, "kernel", None)
        if kernel is not None and is_in_cell(kernel):
            # The cell that loads the extension.
            self._hub.cell_begins(None)
        self._sockets = None if kernel is None else Sockets(kernel, self._hub)
        if self._sockets is not None:
            self._sockets.open()
        shell.observe(self._end, "exit_now")
        settings.observe(self._set_pools, POOL_SETTINGS)
        settings.observe(self._say_when, OF_SERVER)
        self._set_pools()

    def unload(self) -> None:
        """
        Remove everything from the shell.
        """
        shell, session = self._shell, self._session
        shell.unobserve(self._end, "exit_now")
        self._settings.unobserve(self._set_pools, POOL_SETTINGS)
        self._settings.unobserve(self._say_when, OF_SERVER)
        # Those of the process: another shell may have them, too.
        if not any(other._settings.pools for other in _loaded.values()):
            uninstall()
            notebook.shown = None
        shell.events.unregister("pre_run_cell", self._cell_begins)
        shell.events.unregister("post_run_cell", self._cell_ends)
        shell.events.unregister("post_execute", self._follow)
        shell.Completer.custom_matchers.remove(self._matcher)
        for ours in (self._settings, self._magics):
            if ours in self._configurables:
                self._configurables.remove(ours)
        self._display.leave()
        for place in [*self._places, *self._given]:
            place.leave()
        session.leave(shell.user_ns)
        # Leave a server that ran before the extension was loaded.
        if not self._served_before:
            session.stop()
        session.settings = self._before
        # Last, so that open views show the end.
        if not _loaded:
            self._hub.stop()
        if self._sockets is not None:
            self._sockets.close()

    def restore(self) -> None:
        """
        Restore ``shared`` and the other given names if they were deleted.
        """
        for place in self._given:
            place.restore()

    def _end(self, change: Any) -> None:
        # When a kernel shuts down, it first ends its child processes. This may take so
        # long that Jupyter kills it before any `atexit` function has run.
        if change.new:
            features.kernel_ends()
            self._session.stop()
            self._hub.stop()

    def _set_pools(self, change: Any = None) -> None:
        options.grace = self._settings.interrupt_grace
        progress_options.progress = self._settings.progress
        seen_options.arguments = self._settings.task_arguments
        if not self._settings.pools:
            uninstall()
            notebook.shown = None
        elif not is_installed():
            notebook.shown = ShellNotebook(self._shell)
            install()
            kernel = getattr(self._shell, "kernel", None)
            if kernel is not None and is_in_cell(kernel):
                # The one that loads the extension.
                features.cell_begins()

    def _say_when(self, change: Any) -> None:
        """
        Say what to do if a setting was changed that the running server does not have.
        """
        if self._session.server is not None:
            # The answer of %config, which says nothing itself.
            print(  # noqa: T201
                f"DuckJupyter.{change.name} takes effect when the next server starts: "
                "run %duck stop, then share the names again."
            )

    def _cell_begins(self, info: Any) -> None:
        self._answers.cell_begins(info.raw_cell)
        # In some versions of IPython the shell's own count is ahead of the cell.
        number = self._last_cell + 1 if self._last_cell and info.store_history else None
        notebook.cell = number
        features.cell_begins()
        self._hub.cell_begins(number)

    def _cell_ends(self, result: Any) -> None:
        with shield.ending():
            self._answers.cell_ends()
            self._last_cell = result.execution_count or self._last_cell
            # For an empty cell IPython reports only the end.
            if result.info.raw_cell.strip():
                self._hub.cell_ends()
            said = explain(result.error_in_exec) if self._settings.pools else None
            # The handler of SIGINT is ours until its end.
            features.cell_ends(result.error_in_exec)
            if said is not None:
                sys.stderr.write(f"{said}\n")

    def _follow(self) -> None:
        if all(place.is_missing for place in self._given_to_user):
            # After %reset. If only some of the names are deleted, the user deleted
            # them.
            self.restore()
        self._session.follow()
