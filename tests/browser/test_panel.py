"""
The monitor in JupyterLab's side panel, and what else the extension adds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from .cells import LOAD, call_until
from .notebook import KERNEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from .lab import Lab
    from .notebook import Gate, Notebook

    Make = Callable[..., Notebook]
    MakeGate = Callable[[], Gate]


def test_rows_change_while_a_cell_runs_and_after_a_reload_meanwhile(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    opened = notebook(LOAD, call_until(until))
    opened.open_panel()
    expect(opened.panel.sentence).to_have_text("Not loaded")
    opened.run(0)
    expect(opened.panel.rows).to_have_count(3)
    opened.begin(1)
    opened.panel.expect_change("shared.box")
    expect(opened.status).to_have_text(re.compile(r"^3 shared · .+ calls/s"))
    assert opened.runs(1)
    opened.go()
    opened.open_panel()
    opened.panel.expect_change("shared.box")
    row = opened.panel.row("shared.spare")
    row.hover()
    row.get_by_role("button", name="Unshare spare").click()
    expect(opened.panel.sentence).to_have_text(re.compile("^Serving 2 objects"))
    until.open()
    opened.wait(f"() => {KERNEL}.status === 'idle'")


def test_it_follows_the_notebook_in_front_and_a_restart_of_its_kernel(
    notebook: Make, lab: Lab
) -> None:
    """
    A kernel without the extension is asked for nothing that it does not know.
    """
    one = notebook(LOAD)
    one.run(0)
    one.open_panel()
    expect(one.panel.rows).to_have_count(3)
    other = notebook("1")
    other.page.close()
    other.page = one.page
    other.bring_to_front()
    expect(one.panel.frame).to_contain_text("is not loaded here")
    assert "UNKNOWN" not in lab.log.read_text(errors="replace")
    one.bring_to_front()
    expect(one.panel.rows).to_have_count(3)
    one.page.evaluate(f"async () => {{ await {KERNEL}.restart(); }}")
    expect(one.panel.sentence).to_have_text("Not loaded")
    expect(one.status).to_be_hidden()
    one.wait(f"() => {KERNEL}.status === 'idle'")
    one.run(0)
    expect(one.panel.rows).to_have_count(3)
    expect(one.status).to_have_text(re.compile("^3 shared"))


def test_commands_share_a_selected_name_unshare_all_and_load(notebook: Make) -> None:
    opened = notebook("amount = [1]", "print(list(shared))")
    page = opened.page
    opened.run(0)
    opened.open_panel()
    opened.panel.frame.get_by_role("button", name="Insert a cell and run it").click()
    expect(opened.panel.sentence).to_have_text("Ready, nothing shared yet")
    name = page.locator(".jp-Notebook .cm-line", has_text="amount = [1]")
    name.dblclick(position={"x": 8, "y": 8})
    name.click(button="right", position={"x": 8, "y": 8})
    entry = page.locator(".lm-Menu-item[data-command='duck-jupyter:share']")
    expect(entry).to_have_text("Share in duck_jupyter")
    entry.click()
    expect(opened.panel.rows).to_have_count(1)
    expect(opened.panel.row("shared.amount")).to_be_visible()
    opened.execute("apputils:activate-command-palette")
    page.locator(".lm-CommandPalette-input").fill("duck")
    labels = page.locator(".lm-CommandPalette-itemLabel")
    expect(labels).to_contain_text(
        ["duck: Open Monitor", "duck: Share Selected", "duck: Unshare All", "duck: In"]
    )
    labels.filter(has_text="Unshare All").click()
    expect(opened.panel.sentence).to_have_text(re.compile("nothing (is )?shared"))
    opened.execute("application:toggle-right-area")
    expect(opened.panel.frame).to_be_hidden()
    opened.execute("apputils:activate-command-palette")
    page.locator(".lm-CommandPalette-input").fill("duck")
    page.keyboard.press("Enter")
    expect(opened.panel.frame).to_be_visible()


def test_the_item_of_the_status_bar_opens_the_panel_and_can_be_turned_off(
    notebook: Make,
) -> None:
    opened = notebook(LOAD)
    opened.run(0)
    expect(opened.status).to_have_text(re.compile("^3 shared · idle"))
    expect(opened.panel.frame).to_have_count(0)
    opened.status.click()
    expect(opened.panel.rows).to_have_count(3)
    opened.execute("settingeditor:open", query="duck monitor")
    item = opened.page.get_by_role("checkbox", name="Item in the status bar")
    item.uncheck()
    expect(opened.status).to_be_hidden()
    item.check()
    expect(opened.status).to_be_visible()


def test_a_name_that_is_dragged_into_a_cell_becomes_the_line_that_fetches_it(
    notebook: Make,
) -> None:
    opened = notebook(LOAD, "")
    opened.run(0)
    opened.open_panel()
    name = opened.panel.row("shared.box").locator(".id")
    name.drag_to(opened.cell(1).locator(".cm-content"))
    expect(opened.cell(1).locator(".cm-content")).to_have_text("fetch(shared.box)")
