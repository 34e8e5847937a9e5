"""
Tasks of real pools in the monitor, and what it takes to draw many of them.
"""

from __future__ import annotations

import re
import statistics
import sys
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.support.crowds import crowd_at, later

from .bundle import open_bundle
from .cells import LOAD, MONITOR, compute_until, in_pool
from .notebook import NOTEBOOK_7

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from playwright.sync_api import Browser, Locator

    from .notebook import Gate, Notebook

    Make = Callable[..., Notebook]
    MakeGate = Callable[[], Gate]

WORKERS, TASKS = 64, 100_000
#: Seconds that the stream shows, and frames that are measured after those.
SPAN_S = 60
FRAMES = 40
MOST_MS = 8
PARTS = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
#: How far colours may be apart, the parts added up.
NEAR = 24
#: What the canvas shows: all of it, and how many pixels have a colour of the theme.
PICTURE = "canvas => canvas.toDataURL()"
COUNT = """(canvas, [name, most]) => {
    const probe = canvas.parentElement.appendChild(document.createElement('i'));
    probe.style.backgroundColor = `var(${name})`;
    const small = new OffscreenCanvas(1, 1).getContext('2d');
    small.fillStyle = getComputedStyle(probe).backgroundColor;
    probe.remove();
    small.fillRect(0, 0, 1, 1);
    const [r, g, b] = small.getImageData(0, 0, 1, 1).data;
    const { data } = canvas.getContext('2d').getImageData(
        0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        const far = Math.abs(data[at] - r) + Math.abs(data[at + 1] - g)
            + Math.abs(data[at + 2] - b);
        count += far < most && data[at + 3] > 60 ? 1 : 0;
    }
    return count;
}"""


def call_slowly_until(gate: Gate) -> str:
    """
    Let tasks wait on a shared object most of their time, until the gate is open.
    """
    return f"""
class Slow:
    def ask(self):
        threading.Event().wait(0.03)
slow = Slow()
%share slow
def score(number):
    if not os.path.exists({gate}):
        shared.slow.ask()
{in_pool("score")}
"""


def fail_then_wait(gate: Gate) -> str:
    """
    Let a task fail, and the others wait for the gate.
    """
    return f"""
def fit(number):
    if number == 3:
        raise ValueError("negative weight")
    while number > 3 and not os.path.exists({gate}):
        threading.Event().wait(0.05)
{in_pool("fit", 6)}
"""


def tasks_of(notebook: Notebook) -> tuple[Locator, Locator]:
    """
    Open the tab of tasks, and give its stream and its rows.
    """
    view = notebook.widget
    view.tab("Tasks")
    return view.frame.locator(".stream"), view.frame.locator(".run[data-key]")


def test_the_stream_moves_and_progress_is_counted_while_a_cell_runs(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, compute_until(until))
    opened.run(0, 1)
    stream, runs = tasks_of(opened)
    expect(opened.widget.frame.locator(".notasks")).to_be_visible()
    opened.begin(2)
    expect(runs).to_have_count(1)
    expect(opened.widget.sentence).to_have_text(
        re.compile("^Running score on 2 workers")
    )
    done = runs.locator(".done")
    expect(done).to_have_text(re.compile(r"^[\d,]+ / 5,000$"))
    canvas = stream.locator("canvas")
    before, counted = canvas.evaluate(PICTURE), done.inner_text()
    expect(done).not_to_have_text(counted)
    assert canvas.evaluate(PICTURE) != before
    assert canvas.evaluate(COUNT, ["--brand", NEAR]) > 0
    expect(opened.status).to_have_text(re.compile(r"^score \d+\s%"))
    assert opened.runs(2)
    until.open()
    opened.end(2)
    expect(runs.locator(".sum")).to_have_text(re.compile(r"^5,000 in "))


def test_tasks_are_shown_in_notebook_7_while_a_cell_runs(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, compute_until(until), front=NOTEBOOK_7)
    opened.run(0, 1)
    stream, runs = tasks_of(opened)
    opened.begin(2)
    opened.scroll_to(1)
    done = runs.locator(".done")
    expect(done).to_have_text(re.compile(r"^[1-9][\d,]* / 5,000$"))
    assert stream.locator("canvas").evaluate(COUNT, ["--brand", NEAR]) > 0
    progress = opened.cell(2).locator(".duck-progress progress")
    expect(progress).to_have_attribute("max", "5000")
    assert opened.runs(2)
    until.open()
    opened.end(2)
    expect(runs.locator(".sum")).to_have_text(re.compile(r"^5,000 in "))


def test_hatching_shows_what_workers_wait_on_and_the_keys_lead_there(
    notebook: Make, gate: MakeGate
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, call_slowly_until(until))
    opened.run(0, 1)
    stream, runs = tasks_of(opened)
    opened.begin(2)
    waits = stream.locator(".busyness .warn")
    expect(waits.first).to_have_text(re.compile(r"^\d+\s%$"))
    expect(runs.locator(".done b")).to_have_text(re.compile(r"^[\d,]{3,}$"))
    assert stream.locator("canvas").evaluate(COUNT, ["--warn", NEAR]) > 20
    stream.focus()
    stream.press("ArrowLeft")
    stream.press("ArrowDown")
    tip = stream.locator(".tip")
    expect(tip).to_contain_text(re.compile(r"score, \d+ tasks? in this second"))
    expect(tip).to_contain_text(re.compile(r"waiting on slow \d+\s% of it"))
    stream.press("Enter")
    expect(opened.widget.row("shared.slow")).to_be_focused()
    assert opened.runs(2)
    until.open()
    opened.end(2)


def test_a_failed_task_leads_to_its_error(notebook: Make, gate: MakeGate) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, fail_then_wait(until))
    opened.run(0, 1)
    _, runs = tasks_of(opened)
    opened.begin(2)
    failed = runs.get_by_role("button", name="1 failed")
    expect(failed).to_be_visible()
    failed.click()
    error = opened.widget.frame.locator(".errors .error", has_text="ValueError")
    expect(error).to_contain_text("negative weight")
    expect(error.locator(".ehead")).to_have_attribute("aria-expanded", "true")
    expect(error.locator(".at")).to_contain_text("Task of fit")
    assert opened.runs(2)
    until.open()
    opened.end(2)


def test_many_workers_and_tasks_are_drawn_in_time(
    browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = crowd_at(0, WORKERS, TASKS)
    page = browser.new_page(viewport={"width": 1100, "height": 500})
    page.on("pageerror", lambda error: errors.append(str(error)))
    errors: list[str] = []
    session = page.context.new_cdp_session(page)
    # Of the page's thread, whatever else the machine does.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    open_bundle(page, snapshot)

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        found: dict[str, float] = {each["name"]: each["value"] for each in metrics}
        return 1e3 * sum(map(found.__getitem__, PARTS))

    for _ in range(SPAN_S // 2):
        snapshot = later(snapshot, 2)
        page.evaluate("snapshot => tell(snapshot, false)", snapshot)
    took = []
    for _ in range(FRAMES):
        snapshot = later(snapshot, 0.25)
        # Before it is measured: the driver's own code reads it in the page.
        page.evaluate("snapshot => { window.next = snapshot }", snapshot)
        before = spent()
        page.evaluate("tell(window.next, true)")
        took.append(spent() - before)
    lanes = page.locator(".stream.small canvas")
    assert lanes.evaluate(COUNT, ["--brand", NEAR]) > 1000
    done = page.locator(".run .done")
    expect(done).to_have_text(re.compile(rf"/ {TASKS:,}$"))
    p50, p95 = statistics.median(took), sorted(took)[FRAMES * 95 // 100]
    with capsys.disabled():
        sys.stdout.write(
            f"\na frame of {WORKERS} workers takes {p50:.1f} ms (p50), "
            f"{p95:.1f} ms (p95)\n"
        )
    assert errors == []
    assert p50 < MOST_MS
    page.close()
