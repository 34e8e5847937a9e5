"""
The pictures of README.md: ``python -m tests.browser.screenshots [light] [dark]``.

They are of a real run of the notebook about tasks: the light one while its workers wait
on a connection, the dark one when a worker was killed.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from .chromium import start_browser
from .lab import Lab
from .notebook import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

__all__ = ["main"]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "notebooks" / "05_see_tasks.ipynb"
FOLDER = ROOT / "docs"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
#: Of the cell that shows the monitor, and of those whose run is shown.
MONITOR = "%duck monitor"
SHOWN = {"light": "pool.starmap(score, ", "dark": "pool.starmap(run_out_of_memory, "}
#: The function that is opened in the list.
OPENED = {"light": "score", "dark": "fit"}
#: For workers to begin, and for what is drawn to come to rest.
START_MS, DRAWN_MS = 60_000, 1_500


def main() -> None:
    """
    Make the pictures, those of the themes that are named or all.
    """
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=START_MS)
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
    context = browser.new_context(viewport={"width": 1360, "height": 960})
    opened = Notebook(lab, context, SOURCE.stem, [])
    opened.path.write_bytes(SOURCE.read_bytes())
    cells = nbformat.read(SOURCE, as_version=4).cells
    codes = [at for at, cell in enumerate(cells) if cell.cell_type == "code"]
    monitor = next(at for at in codes if cells[at].source == MONITOR)
    shown = next(at for at in codes if SHOWN[name] in cells[at].source)
    opened.open()
    opened.execute("application:toggle-left-area")
    opened.open_panel()
    for at in codes[: codes.index(shown)]:
        opened.run(at)
        if at == monitor:
            split(opened)
    view = opened.page.locator(".jp-LinkedOutputView .duck")
    view.get_by_role("tab", name="Tasks").click()
    go_back(opened)
    opened.begin(shown)
    row = view.locator(".run[data-key]", has_text=OPENED[name])
    row.first.wait_for(timeout=START_MS)
    open_row(row.first)
    go_back(opened)
    if name == "light":
        cell = opened.cell(shown).locator(".jp-OutputArea")
        expect(cell.get_by_text("left").first).to_be_visible()
        cell.scroll_into_view_if_needed()
    else:
        opened.end(shown)
        expect(view.get_by_role("button", name="1 lost")).to_be_visible()
    opened.page.wait_for_timeout(DRAWN_MS)
    keep(opened.page.screenshot(), FOLDER / f"monitor-{name}.png")
    opened.end(shown)
    context.close()


def keep(picture: bytes, path: Path) -> None:
    """
    Write a picture with 256 colours, which look the same and take a third of the bytes.
    """
    with Image.open(io.BytesIO(picture)) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def open_row(row: Locator) -> None:
    """
    Show where the time of a function's workers went.
    """
    if row.get_attribute("aria-expanded") != "true":
        row.click()


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


if __name__ == "__main__":
    main()
