"""
The settings that people make in their IPython configuration.
"""

from __future__ import annotations

from typing import Any

from traitlets import Int, TraitError, Unicode, validate
from traitlets.config import Configurable

from ..errors import NotShareable
from ..memory.spool import check_spool, use_spool
from ..objects.policy import (
    DEFAULT_BUFSIZE,
    DEFAULT_MAX_CHAIN,
    DEFAULT_MAX_MESSAGE,
    check_bufsize,
    check_max_chain,
)
from ..proxy import ProxyServer

__all__ = ["DuckJupyter"]


class DuckJupyter(Configurable):
    """
    What a server is started with; a change counts from the next start on.

    In ``ipython_config.py``, or with ``%config`` in a notebook::

        c.DuckJupyter.bufsize = 4096
    """

    bufsize = Int(
        DEFAULT_BUFSIZE,
        help="Bytes of the buffer of one worker thread. A larger frame travels "
        "beside it, which is slower and does no harm.",
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

    spool_dir = Unicode(
        "",
        help="A folder for blocks that do not fit in /dev/shm, which this process and "
        "its workers share; the temporary folder by default.",
    ).tag(config=True)

    @validate("spool_dir")
    def _check_spool(self, proposal: Any) -> str:
        folder: str = proposal.value
        try:
            check_spool(folder)
        except NotShareable as error:
            raise TraitError(str(error)) from None
        return folder

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
        Make a server with these settings. The caller runs and closes it.

        Raises:
            NotShareable: The spool folder is not to be had any more.
        """
        use_spool(self.spool_dir)
        return ProxyServer(
            self.bufsize, max_chain=self.max_chain, max_message=self.max_message
        )
