"""
Lab: a JupyterLab of the tests' own, which nothing on the machine can change.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.processes import wait_until

__all__ = ["Lab"]

EXTENSION = Path(__file__).parents[2] / "labextension" / "dist"
START_S = 120.0
END_S = 15.0
TOKEN = "token"
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}


class Lab:
    """
    A running JupyterLab with the extension of this tree.

    Args:
        folder: An empty folder, for all that it writes.
    """

    def __init__(self, folder: Path) -> None:
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir()
        self.log = folder / "server.log"
        #: Where the server and its kernels say how they are reached.
        self.runtime = folder / "runtime"
        self._settings = folder / "settings"
        self.forget_settings()
        extensions = folder / "data" / "labextensions"
        extensions.mkdir(parents=True)
        (extensions / "duck-jupyter").symlink_to(EXTENSION, target_is_directory=True)
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                env=self._environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: self._is_up() or self._process.poll() is not None, START_S)
        if not self._is_up():
            self.close()
            raise RuntimeError(f"JupyterLab did not start:\n{self.last_words()}")

    def _command(self) -> list[str]:
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self._port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.notebooks,
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            "IdentityProvider.token": TOKEN,
            "LabApp.expose_app_in_browser": True,
            "JupyterNotebookApp.expose_app_in_browser": True,
            "LabApp.news_url": "",
            "LabApp.extension_manager": "readonly",
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "jupyterlab", *words]

    def _environment(self, folder: Path) -> dict[str, str]:
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }
        return {
            **os.environ,
            **{name: str(folder / part) for name, part in own.items()},
            # The extension of this tree, before one that is installed.
            "JUPYTER_PREFER_ENV_PATH": "0",
        }

    def forget_settings(self) -> None:
        """
        Set all back to what JupyterLab begins with; only its news are off.
        """
        shutil.rmtree(self._settings, ignore_errors=True)
        self.set("@jupyterlab/apputils-extension", "notification", NO_NEWS)

    def set(self, package: str, plugin: str, settings: dict[str, Any]) -> None:
        """
        Choose settings for a page that is opened later.

        Args:
            package: As `@jupyterlab/apputils-extension`.
            plugin: As `notification`.
            settings: What is not as usual.
        """
        folder = self._settings / package
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{plugin}.jupyterlab-settings"
        path.write_text(json.dumps(settings))

    def ask(self, path: str, method: str = "GET", content: Any = None) -> Any:
        """
        Ask the server.

        Args:
            path: As `api/kernels`.
            method: As HTTP names it.
            content: What is sent, as JSON can hold it.

        Returns:
            The answer, or None where it is empty.

        Raises:
            OSError: There is no answer.
        """
        request = urllib.request.Request(
            f"{self.url}/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=END_S) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def end_kernels(self) -> None:
        """
        End all kernels.
        """
        for kernel in self.ask("api/kernels"):
            self.ask(f"api/kernels/{kernel['id']}", "DELETE")

    def last_words(self) -> str:
        """
        Give the end of what the server and its kernels said.
        """
        return self.log.read_text(errors="replace")[-3000:]

    def close(self) -> None:
        """
        End the server and its kernels.
        """
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_up(self) -> bool:
        try:
            self.ask("api")
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
