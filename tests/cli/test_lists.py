"""
The lists of ``jupyter duck top``, one row at a time.
"""

from __future__ import annotations

import msgspec

from duck_jupyter.cli.lists import Errors
from tests.support.snapshots import golden


def test_each_line_of_an_advice_has_a_line_of_its_own() -> None:
    snapshot = golden()
    function = "def df_steps():\n    return shared.df.a.b\n%share df_steps"
    row = msgspec.structs.replace(
        (snapshot.errors or [])[0], ways_out=[("Share a function.", function)]
    )
    shown = Errors(msgspec.structs.replace(snapshot, errors=[row])).advice(0)
    assert [line.plain for line in shown[-4:]] == [
        "Share a function.",
        "    def df_steps():",
        "        return shared.df.a.b",
        "    %share df_steps",
    ]
