"""
A JupyterLab for all tests here, and a browser and notebooks for each.

They run in a process of their own: Playwright leaves a running loop in the main thread.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect, sync_playwright

from .chromium import start_browser
from .lab import Lab
from .notebook import LAB, Gate, Notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from playwright.sync_api import Browser, BrowserContext, Playwright
    from pluggy import Result

#: Seconds for one test: a page alone takes four, and on a busy machine thirty.
PATIENCE_S = 240
#: Seconds for something to be seen, likewise.
SIGHT_S = 30
#: What adds to the report of a failure.
TELL = pytest.StashKey["Callable[[pytest.TestReport], None]"]()


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """
    Where screenshots go.
    """
    usual = Path(__file__).with_name("artifacts")
    folder = Path(os.environ.get("DUCK_ARTIFACTS", usual))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def lab(own_folders: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """
    A running JupyterLab.
    """
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def playwright(own_folders: None) -> Iterator[Playwright]:
    """
    What drives browsers.
    """
    expect.set_options(timeout=SIGHT_S * 1000)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture
def browser(playwright: Playwright) -> Iterator[Browser]:
    """
    A browser of the test's own: nothing of it may be left behind.
    """
    try:
        started = start_browser(playwright)
    except FileNotFoundError as error:
        pytest.fail(str(error), pytrace=False)
    yield started
    started.close()


@pytest.fixture
def context(
    browser: Browser, lab: Lab, artifacts: Path, request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    """
    A browser's window with its own storage. It tells of a failure what it can.
    """
    opened = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened.grant_permissions(["clipboard-read", "clipboard-write"])
    errors: list[str] = []
    opened.on("weberror", lambda error: errors.append(str(error.error)))

    def tell(report: pytest.TestReport) -> None:
        for at, page in enumerate(opened.pages):
            page.screenshot(path=artifacts / f"failed-{name_of(request.node)}-{at}.png")
        report.sections.append(("errors in the page", "\n".join(errors)))
        report.sections.append(("server", lab.last_words()))

    request.node.stash[TELL] = tell
    yield opened
    opened.close()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Callable[[], Gate]]:
    """
    What makes gates for cells to wait at; all are opened in the end.
    """
    made: list[Gate] = []

    def make() -> Gate:
        made.append(Gate(tmp_path / f"gate-{len(made)}"))
        return made[-1]

    yield make
    for each in made:
        each.open()


@pytest.fixture
def notebook(
    lab: Lab, context: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Notebook]]:
    """
    What makes notebooks and opens them: `notebook(cell, cell)`, in JupyterLab.
    """
    count = 0

    def make(*cells: str, front: str = LAB) -> Notebook:
        nonlocal count
        count += 1
        name = f"{name_of(request.node)}-{count}"
        made = Notebook(lab, context, name, list(cells), front)
        made.open()
        return made

    yield make
    lab.end_kernels()
    lab.forget_settings()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Give the tests here more time than others have.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(PATIENCE_S))


def name_of(item: pytest.Item) -> str:
    """
    Give the name of a test as one of a file.
    """
    return re.sub(r"\W+", "-", item.name).strip("-")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, Result[pytest.TestReport], None]:
    """
    Take a picture of a failure before anything is cleaned up.
    """
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed and TELL in item.stash:
        item.stash[TELL](report)
