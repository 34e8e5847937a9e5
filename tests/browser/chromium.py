"""
The system's Chromium, as all who look at pages start it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

__all__ = ["start_browser"]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


def start_browser(playwright: Playwright) -> Browser:
    """
    Start it; who does closes it.

    Raises:
        FileNotFoundError: There is none.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise FileNotFoundError("There is no Chromium: apt-get install chromium")
    return playwright.chromium.launch(executable_path=program, args=FLAGS)
