"""
How the view behaves in a notebook: in JupyterLab and in Notebook 7, while a cell runs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .cells import LOAD, MONITOR, hold
from .notebook import KERNEL, LAB, NOTEBOOK_7

if TYPE_CHECKING:
    from collections.abc import Callable

    from .lab import Lab
    from .notebook import Gate, Notebook

    Make = Callable[..., Notebook]
    MakeGate = Callable[[], Gate]

#: Objects of one path that a worker holds.
LIVE = 14
FAR = "#\n" * 120
#: Where the focus is, the number of cells and which of them is active.
WHERE = """() => {
    let focus = document.activeElement;
    while (focus?.shadowRoot?.activeElement) {
        focus = focus.shadowRoot.activeElement;
    }
    const { content } = jupyterapp.shell.currentWidget;
    const name = focus.dataset.key ?? focus.textContent;
    return [name, content.widgets.length, content.activeCellIndex];
}"""
#: Notes each status of the kernel, each state of the view, and when it heard something.
NOTE = f"""frame => {{
    window.statuses = [];
    window.states = [];
    window.heardAt = performance.now();
    const kernel = {KERNEL};
    kernel.statusChanged.connect((_, status) => statuses.push(status));
    kernel.iopubMessage.connect((_, {{ content }}) => {{
        if (content.data?.method === 'custom') {{
            heardAt = performance.now();
        }}
    }});
    const note = () => states.push(frame.dataset.state);
    new MutationObserver(note).observe(frame, {{ attributeFilter: ['data-state'] }});
}}"""
#: So long that a view in sight would say that the kernel is silent.
LONG = "() => performance.now() - heardAt > 2500"


def check_paths(opened: Notebook) -> None:
    """
    Objects of one path are one row, and all numbers of what is shared agree.
    """
    view = opened.widget
    row = view.rows.filter(has_text="deeper")
    expect(row).to_have_count(1)
    expect(row.locator(".live")).to_have_text(f"×{LIVE}")  # noqa: RUF001
    expect(row.locator(".id")).to_have_text(".deeper.deeper")
    expect(view.rows).to_have_count(4)
    expect(view.frame.get_by_role("tab", name="Objects")).to_have_text(
        re.compile(r"^Objects 3\s*$")
    )
    expect(view.sentence).to_have_text("Serving 3 objects to 1 worker")


def check_keys(opened: Notebook) -> None:
    """
    Keys do nothing to the notebook, and the focus stays.
    """
    view, page = opened.widget, opened.page
    keys = ("d", "d", "x", "a", "b", "m", "Shift+M", "Control+Enter", "0", "0")
    places = {
        view.row("shared.box"): keys,
        view.frame.locator(".objects .sort").first: ("ArrowDown", "ArrowUp", *keys),
        view.frame.get_by_role("tab", name="Objects"): ("ArrowDown", *keys),
    }
    for place, pressed in places.items():
        place.focus()
        before = page.evaluate(WHERE)
        for key in pressed:
            page.keyboard.press(key)
        assert page.evaluate(WHERE) == before
    expect(page.get_by_role("dialog")).to_have_count(0)


def check_scrolling(opened: Notebook) -> None:
    """
    Out of sight and back: the kernel stays busy, and the view says nothing of silence.
    """
    view = opened.widget
    view.frame.evaluate(NOTE)
    opened.scroll_to(3)
    opened.wait(LONG)
    opened.scroll_to(1)
    view.expect_change("shared.results")
    row = view.row("shared.spare")
    row.hover()
    row.get_by_role("button", name="Unshare spare").click()
    expect(view.sentence).to_have_text(re.compile("^Serving 2 objects"))
    expect(view.frame.locator(".plot .gap")).to_have_count(0)
    assert opened.page.evaluate("() => [statuses, states]") == [[], []]
    assert opened.page.evaluate(f"() => {KERNEL}.status") == "busy"


@pytest.mark.parametrize("front", [LAB, NOTEBOOK_7])
def test_a_view_in_a_running_notebook_counts_paths_and_disturbs_nothing(
    lab: Lab, notebook: Make, gate: MakeGate, front: str
) -> None:
    lab.set("duck-jupyter", "plugin", {"statusItem": False})
    until = gate()
    opened = notebook(LOAD, MONITOR, FAR, hold(LIVE, until), front=front)
    opened.run(0, 1)
    opened.begin(3)
    opened.scroll_to(1)
    check_paths(opened)
    check_keys(opened)
    check_scrolling(opened)
    assert opened.runs(3)
    until.open()
    opened.end(3)
