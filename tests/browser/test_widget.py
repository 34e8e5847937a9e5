"""
The monitor in a notebook: `%duck monitor`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from .cells import BUFSIZE, DIG, LOAD, MONITOR, call_until, send, wait_for
from .notebook import KERNEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

    from .lab import Lab
    from .notebook import Gate, Notebook

    Make = Callable[..., Notebook]
    MakeGate = Callable[[], Gate]

#: Its end is the end of the thread that sends snapshots.
UNTIL_QUIET = """
while any(t.name == "duck-monitor" for t in threading.enumerate()):
    threading.Event().wait(0.01)
"""
LISTEN = f"""() => {{
    window.heard = [];
    {KERNEL}.iopubMessage.connect((_, {{ header }}) => heard.push(header.msg_type));
}}"""


#: The request and its frame are a little larger than what is sent.
PEAK_OF_HALF = re.compile(r"peak 5[0-3]\s?% of 4\s?KB")


def expect_fill(row: Locator, size: int, peak: int) -> None:
    """
    Wait for a bar that shows these sizes; their frames are a little larger.
    """
    bar = row.get_by_role("meter")
    now, most = 100 * size / BUFSIZE, 100 * peak / BUFSIZE
    percents = "|".join(str(round(now) + more) for more in range(4))
    expect(bar).to_have_attribute("aria-valuenow", re.compile(f"^({percents})$"))
    percents = "|".join(str(round(most) + more) for more in range(4))
    peak_words = re.compile(rf"peak ({percents})\s?% of 4\s?KB")
    expect(bar).to_have_attribute("aria-valuetext", peak_words)


def test_rows_change_while_a_cell_runs_and_unshare_reaches_the_kernel(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, call_until(until), "print(list(shared))")
    opened.run(0, 1)
    view = opened.widget
    expect(view.rows).to_have_count(3)
    opened.begin(2)
    view.expect_change("shared.box")
    expect(view.sentence).to_have_text("Serving 3 objects to 2 workers")
    row = view.row("shared.spare")
    row.hover()
    row.get_by_role("button", name="Unshare spare").click()
    # What has gone stays in the list, pale, while somebody points at it.
    expect(view.sentence).to_have_text(re.compile("^Serving 2 objects"))
    assert opened.runs(2)
    until.open()
    opened.end(2)
    opened.run(3)
    assert "spare" not in opened.output(3)


def test_the_bar_follows_the_fill_of_the_buffer_while_a_cell_runs(
    notebook: Make, gate: MakeGate
) -> None:
    gates = [gate() for _ in range(3)]
    sizes = [BUFSIZE // 2, BUFSIZE // 8, BUFSIZE * 2]
    cells = [send(size, until) for size, until in zip(sizes, gates, strict=True)]
    opened = notebook(LOAD, MONITOR, *cells)
    opened.run(0, 1)
    row = opened.widget.row("shared.box")
    meter = row.get_by_role("meter")
    for at, (size, until) in enumerate(zip(sizes, gates, strict=True), start=2):
        opened.begin(at)
        if size <= BUFSIZE:
            expect_fill(row, size, sizes[0])
            expect(meter).to_have_attribute("data-z", "calm")
        else:
            # Its request has a block of its own; only its answer fills the buffer.
            expect(meter).to_have_attribute("data-z", "over")
            expect(meter).to_have_attribute("aria-valuetext", PEAK_OF_HALF)
        assert opened.runs(at)
        until.open()
        opened.end(at)
    row.hover()
    row.get_by_role("button", name="Reset the peak of box").click()
    expect(meter).not_to_have_attribute("aria-valuetext", PEAK_OF_HALF)


def test_a_chain_that_was_cut_appears_with_its_advice_while_a_cell_runs(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, f"{DIG}\n{wait_for(until)}")
    opened.run(0, 1)
    opened.begin(2)
    view = opened.widget
    cut = view.frame.locator(".objects .cut")
    expect(cut).to_contain_text("cut here")
    cut.get_by_role("button", name="What to do").click()
    error = view.errors.first
    expect(error).to_contain_text("LimitedProxyChaining")
    expect(error).to_contain_text("What to do next")
    lines = error.locator(".snip code")
    expect(lines).to_have_text(
        ["fetch(shared.box)", re.compile("def box_steps"), "%share box --max-chain 15"]
    )
    error.locator(".snip button").nth(1).click()
    copied = opened.page.evaluate("() => navigator.clipboard.readText()")
    assert copied.endswith(".deeper\n%share box_steps")
    error.locator("summary").click()
    expect(error.locator("pre")).to_contain_text("LimitedProxyChaining")
    assert opened.runs(2)


def test_nothing_is_sent_to_a_view_that_is_out_of_sight(
    lab: Lab, notebook: Make
) -> None:
    lab.set("duck-jupyter", "plugin", {"statusItem": False})
    far = "#\n" * 120
    quiet = "threading.Event().wait(2)"
    opened = notebook(LOAD, MONITOR, far, UNTIL_QUIET, quiet, send(1))
    opened.run(0, 1)
    expect(opened.widget.rows).to_have_count(3)
    opened.scroll_to(3)
    opened.run(3)
    opened.page.evaluate(LISTEN)
    opened.run(4)
    heard = opened.page.evaluate("() => window.heard")
    assert set(heard) == {"status", "execute_input", "execute_result"}
    opened.run(5)
    # In sight again it goes on.
    opened.scroll_to(1)
    calls = opened.widget.row("shared.box").locator(".c-rate")
    expect(calls).not_to_have_attribute("title", "0 calls")


def test_a_view_says_that_the_extension_was_unloaded(notebook: Make) -> None:
    again = "%load_ext duck_jupyter\n%share box\n%duck monitor"
    opened = notebook(LOAD, MONITOR, "%unload_ext duck_jupyter", again)
    opened.run(0, 1)
    expect(opened.widget.rows).to_have_count(3)
    opened.open_panel()
    expect(opened.panel.rows).to_have_count(3)
    opened.run(2)
    expect(opened.widget.sentence).to_have_text("Stopped, nothing is shared")
    expect(opened.panel.sentence).to_have_text("Not loaded")
    opened.run(3)
    expect(opened.panel.rows).to_have_count(1)
    expect(opened.cell(3).locator(".duck .objects .row[data-key]")).to_have_count(1)


def test_a_second_tab_shows_the_same_while_a_cell_runs(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    first = notebook(LOAD, MONITOR, call_until(until))
    first.run(0, 1)
    expect(first.widget.rows).to_have_count(3)
    first.save()
    second = first.open_again()
    second.open_panel()
    for view in (second.panel, second.widget):
        expect(view.rows).to_have_count(3)
    first.begin(2)
    for view in (second.panel, second.widget, first.widget):
        view.expect_change("shared.box")
    assert first.runs(2)
    second.page.close()
    first.widget.expect_change("shared.box")
    until.open()
    first.end(2)


def test_a_page_that_is_loaded_anew_while_a_cell_runs_shows_the_panel_at_once(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, call_until(until))
    opened.run(0, 1)
    expect(opened.widget.rows).to_have_count(3)
    opened.save()
    opened.begin(2)
    opened.widget.expect_change("shared.box")
    opened.go()
    opened.open_panel()
    opened.panel.expect_change("shared.box")
    # JupyterLab asks the kernel for its widgets on the channel of the cells.
    expect(opened.cell(1)).to_contain_text("Loading widget")
    until.open()
    expect(opened.widget.rows).to_have_count(3)
    expect(opened.widget.sentence).to_have_text("Serving 3 objects")


def test_a_saved_notebook_shows_its_last_state_and_says_that_it_is_old(
    lab: Lab, notebook: Make
) -> None:
    manager = "@jupyter-widgets/jupyterlab-manager"
    lab.set(manager, "plugin", {"saveState": True})
    opened = notebook(LOAD, MONITOR, send(1))
    opened.run(0, 1, 2)
    calls = opened.widget.row("shared.box").locator(".c-rate")
    expect(calls).not_to_have_attribute("title", "0 calls")
    # What is kept follows within a second, when no cell runs.
    opened.save()
    opened.wait(
        """async name => {
            await jupyterapp.commands.execute('docmanager:save');
            const file = await jupyterapp.serviceManager.contents.get(name);
            const text = JSON.stringify(file.content.metadata.widgets ?? {});
            return /"executes":[1-9]/.test(text);
        }""",
        opened.path.name,
    )
    assert "widgets" in json.loads(opened.path.read_text())["metadata"]
    lab.end_kernels()
    opened.open()
    expect(opened.widget.sentence).to_have_text(re.compile("^Saved "))
    expect(opened.widget.frame).to_contain_text("not live")
    expect(opened.widget.rows).to_have_count(3)
    unshare = opened.widget.row("shared.box").locator("[data-do=unshare]")
    expect(unshare).to_be_disabled()
