"""
Hearing of imports, and leaving them as they are.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import zipfile
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.data.import_hook import ImportWatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

NAMES = ("duck_late", "duck_pack.inner", "duck_broken", "duck_missing", "duck_other")
SOURCE = "numbers = [1, 2]\nplace = __file__\n"


@pytest.fixture
def heard() -> list[tuple[str, Any]]:
    """
    The names of the modules that were heard of, and what they held by then.
    """
    return []


@pytest.fixture
def watch(heard: list[tuple[str, Any]]) -> Iterator[ImportWatch]:
    """
    A watch that has started.
    """

    def note(module: ModuleType) -> None:
        heard.append((module.__name__, getattr(module, "numbers", None)))

    watch = ImportWatch(NAMES, note)
    before = list(sys.meta_path)
    watch.start()
    yield watch
    watch.stop()
    assert sys.meta_path == before


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    A folder of modules that can be imported.
    """
    (tmp_path / "duck_late.py").write_text(SOURCE)
    (tmp_path / "duck_unknown.py").write_text(SOURCE)
    (tmp_path / "duck_broken.py").write_text("numbers = [1]\nraise ValueError('x')\n")
    (tmp_path / "duck_pack").mkdir()
    (tmp_path / "duck_pack" / "__init__.py").write_text("from . import inner\n")
    (tmp_path / "duck_pack" / "inner.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("duck_")]:
        if name.split(".")[0] != "duck_jupyter":
            del sys.modules[name]


def test_a_module_is_shown_when_all_of_it_has_run(
    watch: ImportWatch, heard: list[Any]
) -> None:
    module = importlib.import_module("duck_late")
    assert heard == [("duck_late", [1, 2])]
    importlib.import_module("duck_late")
    assert len(heard) == 1
    assert module.place.endswith("duck_late.py")


def test_a_module_in_a_package_is_shown(watch: ImportWatch, heard: list[Any]) -> None:
    importlib.import_module("duck_pack")
    assert heard == [("duck_pack.inner", [1, 2])]


def test_others_are_not(watch: ImportWatch, heard: list[Any]) -> None:
    importlib.import_module("duck_unknown")
    assert heard == []


def test_the_loader_is_what_it_was(watch: ImportWatch) -> None:
    spec = importlib.import_module("duck_late").__spec__
    assert spec is not None
    assert type(spec.loader) is SourceFileLoader
    assert set(vars(spec.loader)) == {"name", "path"}


def test_a_module_that_is_loaded_again_is_shown_again(
    watch: ImportWatch, heard: list[Any]
) -> None:
    importlib.reload(importlib.import_module("duck_late"))
    assert heard == [("duck_late", [1, 2])] * 2


def test_to_look_for_a_module_is_not_to_import_it(
    watch: ImportWatch, heard: list[Any]
) -> None:
    assert importlib.util.find_spec("duck_late") is not None
    assert importlib.util.find_spec("duck_missing") is None
    assert heard == []
    importlib.import_module("duck_late")
    assert heard == [("duck_late", [1, 2])]


def test_a_module_that_is_not_there_is_missed_as_ever(watch: ImportWatch) -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'duck_missing'"):
        importlib.import_module("duck_missing")


def test_a_module_that_fails_does_so_as_ever(
    watch: ImportWatch, heard: list[Any], folder: Path
) -> None:
    with pytest.raises(ValueError, match="x"):
        importlib.import_module("duck_broken")
    assert heard == []
    assert "duck_broken" not in sys.modules
    (folder / "duck_broken.py").write_text("numbers = 'mended, and longer than before'")
    importlib.invalidate_caches()
    importlib.import_module("duck_broken")
    assert [name for name, _ in heard] == ["duck_broken"]


def test_a_stopped_watch_hears_nothing(watch: ImportWatch, heard: list[Any]) -> None:
    watch.start()
    watch.stop()
    watch.stop()
    assert watch not in sys.meta_path
    importlib.import_module("duck_late")
    assert heard == []


def test_two_watches_both_hear(watch: ImportWatch, heard: list[Any]) -> None:
    """
    Each asks all other finders, and so do other tools that listen to imports.
    """
    second: list[str] = []
    other = ImportWatch(["duck_late"], lambda module: second.append(module.__name__))
    other.start()
    try:
        module = importlib.import_module("duck_late")
    finally:
        other.stop()
    assert (heard, second) == ([("duck_late", [1, 2])], ["duck_late"])
    assert set(vars(module.__loader__)) == {"name", "path"}


def test_a_module_in_an_archive_is_shown(
    watch: ImportWatch, heard: list[Any], tmp_path: Path, monkeypatch: Any
) -> None:
    """
    One loader serves all modules of an archive.
    """
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.writestr("duck_other.py", "import duck_third\nnumbers = [3]\n")
        archive.writestr("duck_third.py", "numbers = [4]\n")
    monkeypatch.syspath_prepend(tmp_path / "some.zip")
    third = importlib.import_module("duck_other").duck_third
    assert third.numbers == [4]
    assert heard == [("duck_other", [3])]
    assert "exec_module" not in vars(third.__loader__)


class Closed:
    """
    A loader that nobody can add anything to.
    """

    __slots__ = ()

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["numbers"] = "closed"


class Finder:
    """
    A finder with a loader of its own.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != "duck_late":
            return None
        return ModuleSpec(fullname, self.loader)


def test_a_loader_that_cannot_be_listened_to_loads(
    watch: ImportWatch, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "meta_path", [watch, Finder(Closed()), *sys.meta_path[1:]])
        assert importlib.import_module("duck_late").numbers == "closed"
    assert heard == []


def test_what_another_finder_raises_is_raised(
    watch: ImportWatch, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def find_spec(self, *args: Any) -> None:
            raise LookupError("theirs")

    with monkeypatch.context() as patch:
        patch.setattr(sys, "meta_path", [watch, Broken(), *sys.meta_path[1:]])
        with pytest.raises(LookupError, match="theirs"):
            importlib.import_module("duck_late")
    importlib.import_module("duck_late")
    assert heard == [("duck_late", [1, 2])]


def test_threads_that_import_at_once_show_a_module_once(
    watch: ImportWatch, heard: list[Any]
) -> None:
    start = threading.Barrier(8)
    found: list[ModuleType] = []

    def load() -> None:
        start.wait()
        found.append(importlib.import_module("duck_late"))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert heard == [("duck_late", [1, 2])]
