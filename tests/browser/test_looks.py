"""
What the monitor looks like, and what those have of it who cannot see it.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from .cells import DIG, LOAD, MONITOR, call_until, send
from .notebook import PANEL_ID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .notebook import Gate, Notebook

    Make = Callable[..., Notebook]
    MakeGate = Callable[[], Gate]

AXE = files("axe_playwright_python").joinpath("axe.min.js")
#: What is ours of the page; the rest is JupyterLab's.
HOSTS = {"widget": ".jp-OutputArea-output:has(> div)", "panel": f"#{PANEL_ID}"}
FIND = """async host => {
    const { passes, violations } = await axe.run({ include: [[host]] });
    const isSeen = ({ html }) => html.startsWith('<section class="duck"');
    if (!passes.some(({ nodes }) => nodes.some(isSeen))) {
        return 'It was not looked at.';
    }
    return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}"""


@pytest.mark.parametrize("theme", ["Light", "Dark", "Dark High Contrast"])
def test_it_is_as_axe_wants_it_and_its_picture_is_kept(
    notebook: Make, gate: MakeGate, artifacts: Path, theme: str
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, DIG, send(3000), call_until(until))
    opened.execute("apputils:change-theme", theme=f"JupyterLab {theme}")
    opened.run(0, 1, 2, 3)
    opened.open_panel()
    opened.begin(4)
    opened.page.evaluate(AXE.read_text())
    found: dict[str, Any] = {}
    end = f"{theme.lower().replace(' ', '-')}.png"
    for name, view in (("widget", opened.widget), ("panel", opened.panel)):
        view.expect_change("shared.box")
        found[name] = opened.page.evaluate(FIND, HOSTS[name])
        path = artifacts / f"{name}-{end}"
        view.frame.screenshot(path=path)
    opened.page.screenshot(path=artifacts / f"lab-{end}")
    for name in ("Workers", "Errors"):
        opened.widget.tab(name)
        if name == "Errors":
            opened.widget.errors.first.get_by_role("button").first.click()
        key = f"widget-{name.lower()}"
        found[key] = opened.page.evaluate(FIND, HOSTS["widget"])
        path = artifacts / f"{key}-{end}"
        opened.widget.frame.screenshot(path=path)
    assert opened.runs(4)
    until.open()
    opened.end(4)
    expect(opened.widget.frame).to_be_visible()
    assert {key: faults for key, faults in found.items() if faults} == {}
