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
from ..session.default import own_session, shared
from ..session.settings import DuckJupyter
from .completion import make_matcher
from .share import DuckMagics

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]

#: What a notebook finds without an import.
GIVEN = {"shared": shared, "fetch": fetch, "locked": locked, "ref": ref}

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
        self._magics = DuckMagics(shell, session, self._restore)
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
        shell.observe(self._end, "exit_now")

    def unload(self) -> None:
        """
        Take all of it out again.
        """
        shell, session = self._shell, self._session
        shell.unobserve(self._end, "exit_now")
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

    def _restore(self) -> None:
        # %reset takes everything, and `del shared` happens.
        for place in self._given:
            place.restore()

    def _end(self, change: Any) -> None:
        # A kernel that is shut down first ends its child processes, which may take so
        # long that Jupyter kills it before anything of `atexit` has run.
        if change.new:
            self._session.stop()

    def _follow(self) -> None:
        self._session.follow()
