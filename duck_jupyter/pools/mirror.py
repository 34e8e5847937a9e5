"""
Mirror: gives a worker's ``__main__`` the notebook's names that its tasks need.

A function arrives as its name, with each global that it needs as a part: name, number,
token, pickle, handles. The number identifies the binding of the name; a forked worker
keeps the value that it inherited under the same number. The token identifies the value:
a name is set again only if the token has changed. So a change that the worker itself
makes to a global stays until the notebook changes that global.

All functions of the notebook run over this one namespace. The module imports nothing
but the standard library until a class or a handle arrives.
"""

from __future__ import annotations

import functools
import importlib
import linecache
import marshal
import pickle
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

from .names import is_own

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: Name, number, token, pickle, handles that the pickle refers to by number.
    Part = tuple[str, int, bytes, bytes, Sequence[bytes]]

__all__ = ["Failed", "Mirror", "main", "mirror"]

#: The number of a part that replaces even what was inherited under it.
ALWAYS = 0
#: The token of a part that says that the notebook has deleted the name.
DELETED = b""


def main() -> dict[str, Any]:
    """
    Return the namespace of ``__main__``.
    """
    return sys.modules["__main__"].__dict__


class NotReady(Exception):
    """
    Raised if `asker`, while it is loaded, needs `name`, which is being loaded.
    """

    def __init__(self, name: str, asker: str) -> None:
        super().__init__(name, asker)
        self.name = name
        self.asker = asker


class Failed:
    """
    Stands for a value that could not be rebuilt; a call of it raises the error.

    Raised while a pool unpickles, the error would end the worker.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Raise the error.
        """
        raise self.error


class Mirror:
    """
    The notebook's names in this process.
    """

    def __init__(self) -> None:
        #: The notebook's own process, in which no name is set.
        self.is_kernel: bool = False
        #: Whether this process pickles objects with the notebook's names.
        self.has_begun: bool = False
        #: Whether what is loaded was pickled in this process, too.
        self.is_own: bool = False
        #: Whether what is pickled goes back to where the task comes from.
        self.is_returned: bool = False
        #: The errors of values that could not be rebuilt since the last task.
        self.failures: list[BaseException] = []
        #: In the kernel: returns the object that a number identifies, or None.
        self.find: Callable[[str, int], Any] = lambda name, number: None
        #: In the kernel: returns the class that `track` identifies, or None.
        self.find_class: Callable[[str], Any] = lambda tracked: None
        #: Name -> (token, number) of the value that was set last.
        self.set: dict[str, tuple[bytes, int]] = {}
        #: Name -> the number under which it was inherited.
        self.inherited: dict[str, int] = {}
        #: The names under which the notebook had a class or function.
        self.code: set[str] = set()
        self._coming: dict[str, Part] = {}
        #: Names that are being loaded, the innermost last, with their handles.
        self._loading: list[tuple[str, Sequence[bytes]]] = []
        self._lock = threading.RLock()

    def begin(self) -> None:
        """
        Let this worker pickle objects with the notebook's names.
        """
        if not self.has_begun and not self.is_kernel:
            from .returning import open_in_worker

            open_in_worker()
            self.has_begun = True

    def number_of(self, name: str) -> int:
        """
        Return the number of a name's binding in this worker; -1 if it has none.
        """
        found = self.set.get(name)
        return self.inherited.get(name, -1) if found is None else found[1]

    def receive(self, parts: Sequence[Part]) -> None:
        """
        Set the names of a message.
        """
        for part in parts:
            name, number, token, _, handles = part
            if number == ALWAYS and token == DELETED:
                if self.number_of(name) >= 0:
                    # Values that the worker itself has bound stay.
                    main().pop(name, None)
                self.set.pop(name, None)
                self.inherited.pop(name, None)
                continue
            if number != ALWAYS and self.inherited.get(name) == number:
                continue
            before = self.set.get(name)
            if before is None or before[0] != token:
                self.inherited.pop(name, None)
                self._coming[name] = part
            else:
                self.set[name] = (token, number)
                for handle in handles:
                    _mark(handle)
        while self._coming:
            self._settle(next(iter(self._coming)))

    def _settle(self, name: str) -> None:
        part = self._coming.pop(name, None)
        if part is None:
            return
        _, number, token, data, handles = part
        if not data:
            raise LookupError(
                f"The task needs {name!r} as it was when the task was submitted, and "
                "this worker was forked after the notebook had bound it anew. Submit "
                "the task again."
            )
        self._loading.append((name, handles))
        try:
            value = pickle.loads(data)
        except NotReady as error:
            self._coming[name] = part
            if error.name != name:
                raise
            # A class and its base that knows it: begin with the base, bound at once.
            self._loading.pop()
            self._loading.append(("", ()))
            self._settle(error.asker)
            self._settle(name)
            return
        finally:
            self._loading.pop()
        self.set[name] = (token, number)
        main()[name] = value
        (self.code.add if is_own(value) else self.code.discard)(name)

    def value(self, path: str) -> Any:
        """
        Return the object under a path of ``__main__``, such as ``Point.make``.
        """
        top, *rest = path.split(".")
        self._settle(top)
        if top not in main() and any(name == top for name, _ in self._loading):
            raise NotReady(top, self._loading[-1][0])
        found = main()[top]
        for step in rest:
            found = getattr(found, step)
        return found

    def handle(self, number: int) -> bytes:
        """
        Return a handle of the part that is being loaded.
        """
        return self._loading[-1][1][number]

    def load(
        self, data: bytes | str, parts: Sequence[Part], handles: Sequence[bytes] = ()
    ) -> Any:
        """
        Return a function, a class or a value, after setting the names that it needs.
        """
        if self.is_kernel or self.is_own:
            # It comes back: use this process's own objects.
            return self._load(data, handles)
        with self._lock:
            self.begin()
            try:
                self.receive(parts)
                return self._load(data, handles)
            except Exception as error:  # any code of the user's may run here
                self._coming.clear()
                self.failures.append(error)
                return Failed(error)

    def load_own(self, data: Any) -> Any:
        """
        Unpickle what this process has pickled, and set no name.
        """
        with self._lock:
            self.is_own = True
            try:
                return pickle.loads(data)
            finally:
                self.is_own = False

    def _load(self, data: bytes | str, handles: Sequence[bytes]) -> Any:
        if isinstance(data, str):
            return self.value(data)
        self._loading.append(("", handles))
        try:
            return pickle.loads(data)
        finally:
            self._loading.pop()

    def after_fork(self, numbers: dict[str, int]) -> None:
        """
        In a child, note the inherited bindings.

        Args:
            numbers: The numbers of the bindings when the process was forked, by name.
        """
        self._lock = threading.RLock()
        self._coming.clear()
        self._loading.clear()
        if self.is_kernel:
            self.is_kernel = self.has_begun = False
            self.inherited = numbers
            self.code = {name for name, value in main().items() if is_own(value)}
            self.set.clear()


#: That of this process.
mirror: Mirror = Mirror()


def _mark(handle: bytes) -> None:
    """
    Note that a handle has arrived whose object is already in this process.
    """
    from ..data.attach import mark_arrived

    mark_arrived(handle)


# The functions that pickles call.


def load(
    data: bytes | str, parts: Sequence[Part], handles: Sequence[bytes] = ()
) -> Any:
    """
    See `Mirror.load`.
    """
    return mirror.load(data, parts, handles)


def value(path: str) -> Any:
    """
    See `Mirror.value`.
    """
    return mirror.value(path)


def sent_back(path: str, number: int) -> Any:
    """
    Return, in the kernel, the object that it sent under a path; else the present one.
    """
    top, *rest = path.split(".")
    found = mirror.find(top, number) if mirror.is_kernel else None
    if found is None:
        return mirror.value(path)
    for step in rest:
        found = getattr(found, step)
    return found


def sent_on(
    path: str,
    number: int,
    tracked: str,
    data: bytes | str,
    parts: Sequence[Part],
    handles: Sequence[bytes],
) -> Any:
    """
    Return, in the receiving process, an object that a worker has sent.
    """
    if path and (mirror.is_kernel or mirror.is_own):
        return sent_back(path, number)
    if tracked and mirror.is_kernel:
        # Loading it would set the attributes of the notebook's class anew.
        found = mirror.find_class(tracked)
        if found is not None:
            return found
    return mirror.load(data, parts, handles)


def held(number: int) -> Any:
    """
    Return the object of a handle that came with the part.
    """
    from ..data.attach import rebuild

    return rebuild(mirror.handle(number))


def namespace_of(module: str) -> dict[str, Any]:
    """
    Return the globals of a module's functions.
    """
    return main() if module == "__main__" else vars(importlib.import_module(module))


def make_named(name: str, maker: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """
    Make a class or function and bind it at once: its own state may come back to it.
    """
    made = maker(*args)
    if not mirror.is_kernel:
        main()[name] = made
    return made


def make_function(
    code: bytes, module: str, free: int, source: tuple[str, str] | None
) -> types.FunctionType:
    """
    Make a function over the namespace of its module; a `LostChange` quotes its cell.
    """
    if source is not None:
        lines = source[1].splitlines(keepends=True)
        linecache.cache.setdefault(source[0], (len(source[1]), None, lines, source[0]))
    closure = tuple(types.CellType() for _ in range(free))
    made, namespace = marshal.loads(code), namespace_of(module)
    return types.FunctionType(made, namespace, made.co_name, None, closure or None)


def set_function(made: Any, state: Any) -> None:
    """
    Finish a function: its attributes, and what its closure holds.
    """
    attributes, own, closure, _submodules = state
    for name, given in attributes.items():
        setattr(made, name, given)
    made.__dict__.update(own)
    for cell, content in zip(made.__closure__ or (), closure, strict=True):
        if content:
            cell.cell_contents = content[0]


def make_cached(parameters: dict[str, Any], wrapped: Any) -> Any:
    """
    Make a function with an ``lru_cache``, which is empty.
    """
    return functools.lru_cache(**parameters)(wrapped)


def make_cached_property(function: Any, name: str | None) -> Any:
    """
    Make a ``cached_property``, which before Python 3.12 holds a lock.
    """
    made = functools.cached_property(function)
    if name is not None:
        made.__set_name__(object, name)
    return made


def make_dispatched(default: Any, others: list[tuple[Any, Any]]) -> Any:
    """
    Make a ``singledispatch`` function.
    """
    made = functools.singledispatch(default)
    for kind, function in others:
        made.register(kind, function)
    return made
