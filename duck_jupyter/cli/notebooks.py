"""
Which notebook a kernel belongs to.

The servers of Jupyter that run know it, also after a notebook was renamed. Without one,
the connection file has the path that the notebook had when its kernel was started.
"""

from __future__ import annotations

import json
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import psutil
from jupyter_core.paths import jupyter_runtime_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .kernels import KernelFile

__all__ = ["titles_of"]

#: Seconds that a server has for its answer.
PATIENCE_S = 2.0
#: What comes of JSON that is not as it was expected.
MISSHAPEN = (ValueError, LookupError, TypeError, AttributeError)


def titles_of(files: Iterable[KernelFile]) -> dict[Path, str]:
    """
    Name kernels by their notebooks, or as their connection files are named.

    Args:
        files: The kernels.

    Returns:
        For each connection file a name; those of one name have their paths instead.
    """
    sessions = dict(_sessions())
    paths = {
        file.path: sessions.get(file.name) or _path_in(file.path) or file.name
        for file in files
    }
    names = {path: PurePosixPath(found).name for path, found in paths.items()}
    shown = list(names.values())
    return {
        path: name if shown.count(name) == 1 else paths[path]
        for path, name in names.items()
    }


def _path_in(file: Path) -> str:
    """
    Give the path of the notebook that a kernel was started for, or nothing.
    """
    try:
        found = json.loads(file.read_text()).get("jupyter_session")
    except (OSError, ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def _sessions() -> Iterator[tuple[str, str]]:
    """
    Ask each server of this user which kernel runs which notebook.
    """
    for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        # A server may be of any version, and end while it is asked.
        with suppress(OSError, HTTPException, *MISSHAPEN):
            for session in _asked(json.loads(file.read_text())):
                yield str(session["kernel"]["id"]), _name_of(session)


def _asked(server: dict[str, Any]) -> list[dict[str, Any]]:
    if not psutil.pid_exists(int(server["pid"])):
        return []  # its port may be another program's by now
    request = urllib.request.Request(
        server["url"] + "api/sessions",
        headers={"Authorization": f"token {server['token']}"},
    )
    # It is on this machine: no proxy is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE_S) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def _name_of(session: dict[str, Any]) -> str:
    """
    Give the path of a notebook; a console has a name, and a path that nobody knows.
    """
    is_notebook = session.get("type") == "notebook"
    return str(session["path"] if is_notebook else session.get("name") or "")
