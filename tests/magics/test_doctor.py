"""
%duck doctor in a notebook: text and HTML of what the doctor found.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from duck_jupyter.magics.doctor_report import DoctorReport
from duck_jupyter.session.doctor import Section
from tests.support.processes import run_python

if TYPE_CHECKING:
    from .cells import Cells

pytestmark = pytest.mark.alone

LEAVE = """
import os
from duck_jupyter.memory.blocks import create_named
print(f"/dev/shm/{create_named(5000).name}", flush=True)
os.kill(os.getpid(), 9)
"""


def test_the_doctor_shows_what_is_left_and_clean_removes_it(cells: Cells) -> None:
    path = Path(run_python(LEAVE).stdout.strip())
    report = cells.run("%duck doctor")
    assert str(path) in repr(report)
    assert path.exists()
    report = cells.run("%duck doctor --clean")
    assert str(path) in repr(report)
    assert "removed." in repr(report)
    assert not path.exists()
    assert str(path) not in repr(cells.run("%duck doctor"))


def test_the_doctor_needs_no_server_and_starts_none(cells: Cells) -> None:
    assert "This process holds no blocks." in repr(cells.run("%duck doctor"))
    assert "No server runs" in repr(cells.run("%duck status"))
    cells.run("df = [1]\n%share df")
    assert "Blocks are in /dev/shm" in repr(cells.run("%duck doctor"))


SECTIONS = (
    Section("All is <well>.", ("Held", "Bytes"), (("lanes", "9 KB"), ("<b>", "0 B"))),
    Section("Nothing is left."),
)


def test_the_text_is_sentences_and_aligned_columns() -> None:
    assert repr(DoctorReport(SECTIONS)).splitlines() == [
        "All is <well>.",
        "",
        "Held   Bytes",
        "-----  -----",
        "lanes   9 KB",
        "<b>      0 B",
        "",
        "Nothing is left.",
    ]


def test_html_is_in_the_colours_of_the_page_and_holds_no_markup_of_others() -> None:
    bundle = DoctorReport(SECTIONS)._repr_mimebundle_()
    assert bundle["text/plain"] == repr(DoctorReport(SECTIONS))
    html = bundle["text/html"]
    assert "All is &lt;well&gt;." in html
    assert "&lt;b&gt;" in html
    assert html.count("<table>") == 1
    assert "color" not in html
    assert html.endswith("<p>Nothing is left.</p>")
