"""
The notebooks that kernels belong to.

A running Jupyter server knows them, also after a notebook was renamed. Without a
server, the connection file has the path of the notebook when its kernel started.
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
#: The errors of JSON with an unexpected structure.
MISSHAPEN = (ValueError, LookupError, TypeError, AttributeError)


def titles_of(files: Iterable[KernelFile]) -> dict[Path, str]:
    """
    Return a name of each kernel: that of its notebook, or of its connection file.

    Args:
        files: The kernels.

    Returns:
        The name by connection file; kernels with equal names get their paths instead.
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
    Return the path of the notebook that a kernel was started for, or "".
    """
    try:
        found = json.loads(file.read_text()).get("jupyter_session")
    except (OSError, ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def _sessions() -> Iterator[tuple[str, str]]:
    """
    Ask each server of this user for its kernels and their notebooks.
    """
    for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        # A server may have any version, and may end meanwhile.
        with suppress(OSError, HTTPException, *MISSHAPEN):
            for session in _asked(json.loads(file.read_text())):
                yield str(session["kernel"]["id"]), _name_of(session)


def _asked(server: dict[str, Any]) -> list[dict[str, Any]]:
    if not psutil.pid_exists(int(server["pid"])):
        return []  # another program may have its port now
    request = urllib.request.Request(
        server["url"] + "api/sessions",
        headers={"Authorization": f"token {server['token']}"},
    )
    # The server is on this machine: use no HTTP proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE_S) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def _name_of(session: dict[str, Any]) -> str:
    """
    Return the path of a notebook, or the name of a console, whose path means nothing.
    """
    is_notebook = session.get("type") == "notebook"
    return str(session["path"] if is_notebook else session.get("name") or "")
