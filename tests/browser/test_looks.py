"""
What the monitor looks like, and what those have of it who cannot see it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from .cells import DIG, LOAD, MONITOR, call_until, send
from .notebook import PANEL_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from .notebook import Gate, Notebook, View

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
#: Widths in pixels, from that of a narrow output to all that there is.
WIDTHS = (250, 300, 720, 1060)
RESIZE = """async (frame, width) => {
    frame.getRootNode().host.style.width = width ? `${width}px` : '';
    for (let picture = 0; picture < 3; picture += 1) {
        await new Promise(requestAnimationFrame);
    }
}"""
CUT = Path(__file__).with_name("cut.js").read_text()
#: How much a grid line and what is drawn differ from the ground, from 1 to 21.
CONTRASTS = """frame => {
    const canvas = document.createElement('canvas').getContext('2d');
    const lightness = colour => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(part => {
            const share = part / 255;
            return share > 0.03928 ? ((share + 0.055) / 1.055) ** 2.4 : share / 12.92;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const of = (part, property) =>
        lightness(getComputedStyle(frame.querySelector(part))[property]);
    const ground = lightness(getComputedStyle(frame).backgroundColor);
    const contrast = found =>
        (Math.max(found, ground) + 0.05) / (Math.min(found, ground) + 0.05);
    return [
        contrast(of('.plot .gridline', 'borderTopColor')),
        contrast(of('.plot .gridline.base', 'borderTopColor')),
        contrast(of('.plot .dot', 'backgroundColor'))
    ];
}"""


def look_at_widths(view: View, artifacts: Path, end: str) -> dict[str, Any]:
    """
    Take a picture at each width, and give what numbers are cut.
    """
    found: dict[str, Any] = {}
    for width in WIDTHS:
        view.frame.evaluate(RESIZE, width)
        for name in ("Objects", "Workers"):
            if width > WIDTHS[1]:
                view.tab(name)
            key = f"widget-{width}-{name.lower()}"
            found[key] = view.frame.evaluate(CUT)
            if name == "Objects":
                view.frame.screenshot(path=artifacts / f"widget-{width}-{end}")
    view.tab("Objects")
    view.frame.evaluate(RESIZE, 0)
    return found


@pytest.mark.parametrize("theme", ["Light", "Dark", "Dark High Contrast"])
def test_it_is_as_axe_wants_it_and_its_picture_is_kept(
    notebook: Make, gate: MakeGate, artifacts: Path, theme: str
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, DIG, send(3000), call_until(until))
    opened.execute("apputils:change-theme", theme=f"JupyterLab {theme}")
    opened.execute("application:toggle-left-area")
    opened.run(0, 1, 2, 3)
    opened.begin(4)
    opened.widget.expect_change("shared.box")
    opened.page.evaluate(AXE.read_text())
    end = f"{theme.lower().replace(' ', '-')}.png"
    found = look_at_widths(opened.widget, artifacts, end)
    *grid, data = opened.widget.frame.evaluate(CONTRASTS)
    assert max(grid) * 1.5 < data
    opened.open_panel()
    for name, view in (("widget", opened.widget), ("panel", opened.panel)):
        view.expect_change("shared.box")
        found[name] = opened.page.evaluate(FIND, HOSTS[name])
        path = artifacts / f"{name}-{end}"
        view.frame.screenshot(path=path)
    opened.page.screenshot(path=artifacts / f"lab-{end}")
    for name in ("Tasks", "Workers", "Errors"):
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
