"""
Notebook: one in JupyterLab, in a tab of the browser, moved by JupyterLab's commands.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import nbformat
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Locator, Page

    from .lab import Lab

__all__ = ["KERNEL", "LAB", "NOTEBOOK_7", "PANEL_ID", "Gate", "Notebook", "View"]

#: Where each front end opens a notebook.
LAB, NOTEBOOK_7 = "lab/tree", "notebooks"

KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
OPEN_S = 90
CELL_S = 45
PANEL_ID = "duck-jupyter-monitor"
EXECUTE = """async ([name, args]) => {
    await jupyterapp.commands.execute(name, args);
}"""
#: The command's promise ends with the cell; the kernel's status tells less.
RUN = """at => {
    const { content } = jupyterapp.shell.currentWidget;
    content.activeCellIndex = at;
    window.ended ??= {};
    window.ended[at] = false;
    jupyterapp.commands.execute('notebook:run-cell')
        .then(() => { window.ended[at] = true; });
}"""


class Gate:
    """
    A file that cells wait for.

    Args:
        path: Where it will be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return repr(str(self._path))

    def open(self) -> None:
        """
        Let the cells go on.
        """
        self._path.touch()


class Notebook:
    """
    A notebook of one test, and the page that shows it.

    Args:
        lab: Where it is opened.
        context: What keeps the page apart from those of other tests.
        name: The name of its file.
        cells: The code of its cells.
        front: The front end that opens it, by its address.
    """

    def __init__(
        self,
        lab: Lab,
        context: BrowserContext,
        name: str,
        cells: list[str],
        front: str = LAB,
    ) -> None:
        self._front = front
        self._lab = lab
        self._context = context
        self.name = name
        self.path = lab.notebooks / f"{name}.ipynb"
        self.page: Page = context.new_page()
        nbformat.write(
            nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
                metadata={"kernelspec": {"name": "python3", "display_name": "Python"}},
            ),
            self.path,
        )

    def open(self) -> None:
        """
        Open it, and wait for its kernel.
        """
        self.go()
        self.wait(f"() => {KERNEL}?.status === 'idle'", seconds=OPEN_S)

    def go(self) -> None:
        """
        Open its address, in an empty workspace, whatever its kernel does.
        """
        query = "reset&token=token"
        self.page.goto(f"{self._lab.url}/{self._front}/{self.path.name}?{query}")
        self.wait(f"() => {KERNEL}", seconds=OPEN_S)

    def open_again(self) -> Notebook:
        """
        Open it in a second tab of the browser.
        """
        second = copy.copy(self)
        second.page = self._context.new_page()
        second.open()
        return second

    def save(self) -> None:
        """
        Save it, with what its widgets show.
        """
        self.execute("docmanager:save")

    def bring_to_front(self) -> None:
        """
        Show it in a page that shows others too.
        """
        self.execute("docmanager:open", path=self.path.name)
        self.wait(
            "name => jupyterapp.shell.currentWidget?.context?.path === name",
            self.path.name,
        )

    def wait(
        self, condition: str, argument: Any = None, seconds: float = CELL_S
    ) -> None:
        """
        Wait until something holds in the page.

        Args:
            condition: A function of JavaScript.
            argument: What it gets.
            seconds: How long it may take.
        """
        self.page.wait_for_function(condition, arg=argument, timeout=seconds * 1000)

    def begin(self, at: int) -> None:
        """
        Begin to run a cell.
        """
        self.page.evaluate(RUN, at)

    def end(self, at: int) -> None:
        """
        Wait for the end of a cell.
        """
        self.wait("at => window.ended[at]", at)

    def run(self, *cells: int) -> None:
        """
        Run cells, one after the other.
        """
        for at in cells:
            self.begin(at)
            self.end(at)

    def runs(self, at: int) -> bool:
        """
        Tell whether a cell has not ended.
        """
        return not self.page.evaluate("at => window.ended[at]", at)

    def execute(self, command: str, **args: Any) -> None:
        """
        Execute a command of JupyterLab, to its end.
        """
        self.page.evaluate(EXECUTE, [command, args])

    def scroll_to(self, at: int) -> None:
        """
        Scroll to a cell.
        """
        self.page.evaluate(
            "at => jupyterapp.shell.currentWidget.content.scrollToItem(at, 'start')", at
        )

    def output(self, at: int) -> str:
        """
        Give the text that a cell printed.
        """
        text: str = self.cell(at).locator(".jp-OutputArea").inner_text()
        return text

    def cell(self, at: int) -> Locator:
        """
        Find a cell.
        """
        place = f"[data-windowed-list-index='{at}']"
        return self.page.locator(f".jp-Notebook .jp-Cell{place}")

    @property
    def widget(self) -> View:
        """
        The view in the notebook.
        """
        return View(self.page.locator(".jp-OutputArea .duck"))

    @property
    def panel(self) -> View:
        """
        The view in the side panel.
        """
        return View(self.page.locator(f"#{PANEL_ID} .duck"))

    @property
    def status(self) -> Locator:
        """
        The item of the status bar.
        """
        return self.page.locator(".duck-status button")

    def open_panel(self) -> None:
        """
        Open the side panel.
        """
        self.execute("duck-jupyter:open-monitor")
        self.panel.frame.wait_for()


class View:
    """
    The monitor, wherever it is shown.

    Args:
        frame: Its outermost element.
    """

    def __init__(self, frame: Locator) -> None:
        self.frame = frame
        self.sentence = frame.locator(".say strong")
        self.rows = frame.locator(".objects .row[data-key]")
        self.errors = frame.locator(".errors .error")

    def row(self, name: str) -> Locator:
        """
        Find the row of what is shared.
        """
        return self.rows.filter(has=self.frame.page.locator(f"[title*='{name}']")).first

    def tab(self, name: str) -> None:
        """
        Look at another list.
        """
        self.frame.get_by_role("tab", name=name).click()

    def expect_change(self, name: str) -> None:
        """
        Wait until what is told of a row's calls changes.
        """
        rate = self.row(name).locator(".c-rate")
        expect(rate).not_to_have_text("0")
        expect(rate).not_to_have_text(rate.inner_text())
