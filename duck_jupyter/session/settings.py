"""
The settings that people make in their IPython configuration.
"""

from __future__ import annotations

from typing import Any

from traitlets import Int, TraitError, validate
from traitlets.config import Configurable

from ..errors import NotShareable
from ..proxy import ProxyServer
from ..server.policy import (
    DEFAULT_BUFSIZE,
    DEFAULT_MAX_CHAIN,
    DEFAULT_MAX_MESSAGE,
    check_bufsize,
    check_max_chain,
)

__all__ = ["DuckJupyter"]


class DuckJupyter(Configurable):
    """
    What a server is started with; a change counts from the next start on.

    In ``ipython_config.py``, or with ``%config`` in a notebook::

        c.DuckJupyter.bufsize = 4096
    """

    bufsize = Int(
        DEFAULT_BUFSIZE,
        help="Bytes of the buffer of one worker thread. A larger frame travels in a "
        "block of its own, which is slower and does no harm.",
    ).tag(config=True)

    max_chain = Int(
        DEFAULT_MAX_CHAIN,
        help="The highest level of a proxy that was reached through others.",
    ).tag(config=True)

    max_message = Int(
        DEFAULT_MAX_MESSAGE,
        min=1,
        help="Bytes of the largest message, wherever it travels.",
    ).tag(config=True)

    @validate("bufsize", "max_chain")
    def _check(self, proposal: Any) -> int:
        check = check_bufsize if proposal.trait.name == "bufsize" else check_max_chain
        value: int = proposal.value
        try:
            check(value)
        except NotShareable as error:
            raise TraitError(str(error)) from None
        return value

    def make_server(self) -> ProxyServer:
        """
        Make a server with these settings; whoever asks runs and closes it.
        """
        return ProxyServer(
            self.bufsize, max_chain=self.max_chain, max_message=self.max_message
        )
