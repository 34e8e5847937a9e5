"""
The pictures of README.md: ``python -m tests.browser.screenshots [light] [dark]``.

They are of a real run of the notebook about the monitor, while its cell runs that goes
on after a worker was killed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from playwright.sync_api import sync_playwright

from .chromium import start_browser
from .lab import Lab
from .notebook import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

__all__ = ["main"]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "notebooks" / "03_monitor.ipynb"
FOLDER = ROOT / "docs"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
#: Of the cell that is shown running, and of the one that shows the monitor.
GOES_ON, MONITOR = "again = ", "%duck monitor"
#: For workers to begin, and for the charts to have something to show of them.
START_MS, WATCHED_MS, SAID_MS = 60_000, 3_000, 1_500


def main() -> None:
    """
    Make the pictures, those of the themes that are named or all.
    """
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = start_browser(driver)
        lab = Lab(Path(folder))
        try:
            for name in sys.argv[1:] or THEMES:
                lab.forget_settings()
                lab.set(
                    "@jupyterlab/apputils-extension", "themes", {"theme": THEMES[name]}
                )
                take(lab, browser, name)
                lab.end_kernels()
        finally:
            lab.close()
            browser.close()


def take(lab: Lab, browser: Browser, name: str) -> None:
    """
    Run the notebook, and take one picture.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened = Notebook(lab, context, SOURCE.stem, [])
    opened.path.write_bytes(SOURCE.read_bytes())
    cells = nbformat.read(SOURCE, as_version=4).cells
    codes = [at for at, cell in enumerate(cells) if cell.cell_type == "code"]
    monitor = next(at for at in codes if cells[at].source == MONITOR)
    shown = next(at for at in codes if GOES_ON in cells[at].source)
    opened.open()
    opened.execute("application:toggle-left-area")
    opened.open_panel()
    for at in codes[: codes.index(shown)]:
        opened.run(at)
        if at == monitor:
            split(opened)
    view = opened.page.locator(".jp-LinkedOutputView .duck")
    choose(view, name)
    go_back(opened)
    opened.begin(shown)
    # Its words change once a second: what they say now may be of the pool before.
    opened.page.wait_for_timeout(SAID_MS)
    view.get_by_text("on 3 workers").first.wait_for(timeout=START_MS)
    opened.page.wait_for_timeout(WATCHED_MS)
    assert opened.runs(shown)
    opened.page.screenshot(path=FOLDER / f"monitor-{name}.png")
    opened.end(shown)
    context.close()


def split(opened: Notebook) -> None:
    """
    Give the monitor a place of its own below the notebook, and go on in the notebook.
    """
    opened.page.evaluate("() => { window.front = jupyterapp.shell.currentWidget.id; }")
    opened.execute("notebook:create-output-view")
    go_back(opened)


def go_back(opened: Notebook) -> None:
    """
    Go to the notebook, whose cells are to run.
    """
    opened.page.evaluate("() => { jupyterapp.shell.activateById(window.front); }")
    opened.wait("() => jupyterapp.shell.currentWidget.id === window.front")


def choose(view: Locator, name: str) -> None:
    """
    Open what the picture is to show.
    """
    if name == "dark":
        view.get_by_role("tab", name="Errors").click()
        view.get_by_text("LimitedProxyChaining").first.click()


if __name__ == "__main__":
    main()
