"""
The lists of ``jupyter duck top``, one row at a time.
"""

from __future__ import annotations

import msgspec

from duck_jupyter.cli.lists import Errors, Objects
from duck_jupyter.cli.rates import Window
from duck_jupyter.stats.error_log import CUTS_KEPT
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


def test_paths_that_are_not_all_kept_are_said_to_be_the_newest() -> None:
    snapshot, window = golden(), Window()
    window.add(snapshot)
    (chain,) = snapshot.chains or []
    assert Objects(snapshot, window).title().plain.endswith(" ✂ 1 cut")
    chains = [
        msgspec.structs.replace(chain, path=f"root.a{i}") for i in range(CUTS_KEPT)
    ]
    full = msgspec.structs.replace(snapshot, chains=chains)
    assert Objects(full, window).title().plain.endswith(" ✂ newest 200 cut")
