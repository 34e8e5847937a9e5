"""
How the extension comes into a shell, and how it leaves without a trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from IPython.core.magic import magic_kinds

from ..client.fetching import fetch
from ..client.locking import locked
from ..client.references import ref
from ..monitor.comm import Sockets
from ..monitor.hub import Hub
from ..session.default import own_session, shared
from ..session.settings import DuckJupyter
from .completion import make_matcher
from .share import DuckMagics
from .show import is_in_cell

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]

#: What a notebook finds without an import.
GIVEN = {"shared": shared, "fetch": fetch, "locked": locked, "ref": ref}

#: The monitor of this process's session: a view that was made before the extension was
#: unloaded goes on when it is loaded again.
_hub = Hub(own_session())
_MISSING = object()
_loaded: WeakKeyDictionary[InteractiveShell, Extension] = WeakKeyDictionary()


def load(shell: InteractiveShell) -> None:
    """
    Bring the extension into a shell. Twice is fine.

    Raises:
        TraitError: A setting of the configuration cannot be; nothing has changed.
    """
    if shell not in _loaded:
        _loaded[shell] = Extension(shell)


def unload(shell: InteractiveShell) -> None:
    """
    Take the extension out of a shell. Twice is fine.
    """
    extension = _loaded.pop(shell, None)
    if extension is not None:
        extension.unload()


class Place:
    """
    One key of a mapping that is ours for a time.

    Args:
        mapping: The mapping.
        key: The key.
        value: Our value; what it hides comes back with `leave`.
    """

    def __init__(self, mapping: MutableMapping[str, Any], key: str, value: Any) -> None:
        # Some mappings of IPython make what is missing, when they are asked with [].
        self._before = mapping.get(key, _MISSING)
        self._mapping = mapping
        self._key = key
        self._value = value
        mapping[key] = value

    def restore(self) -> None:
        """
        Put our value back where it was deleted.
        """
        self._mapping.setdefault(self._key, self._value)

    def leave(self) -> None:
        """
        Give the place back, unless somebody else has taken it.
        """
        if self._mapping.get(self._key, _MISSING) is not self._value:
            return
        if self._before is _MISSING:
            del self._mapping[self._key]
        else:
            self._mapping[self._key] = self._before


class Extension:
    """
    All that the extension has put into one shell.

    Args:
        shell: The shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        # First what can fail.
        settings = DuckJupyter(parent=shell)
        self._shell = shell
        self._session = session = own_session()
        self._before = session.settings
        self._served_before = session.server is not None
        session.settings = self._settings = settings
        self._given = [
            Place(namespace, name, value)
            for namespace in (shell.user_ns, shell.user_ns_hidden)
            for name, value in GIVEN.items()
        ]
        self._hub = _hub
        self._magics = DuckMagics(shell, session, self._hub, self._restore)
        manager = shell.magics_manager
        self._places = [Place(manager.registry, "DuckMagics", self._magics)]
        for kind in magic_kinds:
            table = manager.magics[kind]
            for name, magic in self._magics.magics[kind].items():
                self._places.append(Place(table, name, magic))
        # So that %config knows them.
        # IPython's own annotation has only the shell in it.
        self._configurables: list[Any] = cast("list[Any]", shell.configurables)
        self._configurables.append(settings)
        self._matcher = make_matcher(shell, session)
        shell.Completer.custom_matchers.append(self._matcher)
        shell.events.register("post_execute", self._follow)
        shell.events.register("pre_run_cell", self._cell_begins)
        shell.events.register("post_run_cell", self._cell_ends)
        #: The number of the last cell that ended.
        self._last_cell: int | None = None
        self._hub.start()
        kernel = getattr(shell, "kernel", None)
        if kernel is not None and is_in_cell(kernel):
            # The one that loads the extension.
            self._hub.cell_begins(None)
        self._sockets = None if kernel is None else Sockets(kernel, self._hub)
        if self._sockets is not None:
            self._sockets.open()
        shell.observe(self._end, "exit_now")

    def unload(self) -> None:
        """
        Take all of it out again.
        """
        shell, session = self._shell, self._session
        shell.unobserve(self._end, "exit_now")
        shell.events.unregister("pre_run_cell", self._cell_begins)
        shell.events.unregister("post_run_cell", self._cell_ends)
        shell.events.unregister("post_execute", self._follow)
        shell.Completer.custom_matchers.remove(self._matcher)
        for ours in (self._settings, self._magics):
            if ours in self._configurables:
                self._configurables.remove(ours)
        for place in [*self._places, *self._given]:
            place.leave()
        session.leave(shell.user_ns)
        # A server that was there before is not ours to end.
        if not self._served_before:
            session.stop()
        session.settings = self._before
        # Last, so that those who look see how it ended.
        if not _loaded:
            self._hub.stop()
        if self._sockets is not None:
            self._sockets.close()

    def _restore(self) -> None:
        # %reset takes everything, and `del shared` happens.
        for place in self._given:
            place.restore()

    def _end(self, change: Any) -> None:
        # A kernel that is shut down first ends its child processes, which may take so
        # long that Jupyter kills it before anything of `atexit` has run.
        if change.new:
            self._session.stop()
            self._hub.stop()

    def _cell_begins(self, info: Any) -> None:
        # The shell's own count is ahead of the cell in some versions of IPython.
        number = self._last_cell + 1 if self._last_cell and info.store_history else None
        self._hub.cell_begins(number)

    def _cell_ends(self, result: Any) -> None:
        self._last_cell = result.execution_count or self._last_cell
        # Of an empty cell only the end is told.
        if result.info.raw_cell.strip():
            self._hub.cell_ends()

    def _follow(self) -> None:
        self._session.follow()
