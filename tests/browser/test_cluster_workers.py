"""
The table of workers with a cluster, in the widget's own bundle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from duck_jupyter.session.snapshot import as_plain
from tests.support.snapshots import golden

from .bundle import open_bundle

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Wide, narrower and a panel.
WIDTHS = (1180, 720, 340)
#: The parts of a row that are wider than their place; only the host may be.
CUT = """row => [...row.querySelectorAll('.way, .c-mem, .whole > :last-child')]
    .filter(part => part.scrollWidth > part.clientWidth + 1)
    .map(part => part.className)"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_workers_of_a_cluster_are_in_the_table(
    browser: Browser, width: int, theme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    open_bundle(page, as_plain(golden()))
    if width > min(WIDTHS):
        page.get_by_role("tab", name="Workers").click()
    else:
        # Only rows in sight are drawn.
        for name in ("Tasks", "Objects", "Errors"):
            region = page.get_by_role("region", name=name, exact=True)
            region.get_by_role("button").first.click()
    row = page.get_by_role("row").filter(has_text="10.0.0.2:gpu-1")
    expect(row.locator(".way")).to_have_text("relay")
    expect(row.locator(".state")).to_have_text("2 tasks, 5 waiting")
    expect(row.locator(".c-mem")).to_have_text("1.68 GB")
    assert row.evaluate(CUT) == []
    lost = page.get_by_role("row").filter(has_text="10.0.0.2:gpu-0")
    expect(lost.locator(".state")).to_contain_text("connection lost")
    link = page.get_by_role("link", name="Dask dashboard")
    expect(link).to_have_attribute("href", "http://10.0.0.1:8787/status")
    expect(link).to_have_attribute("target", "_blank")
