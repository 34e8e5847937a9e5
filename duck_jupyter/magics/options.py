"""
What the parser of a magic knows: completion, help and the README are made from it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["HelpWanted", "Option", "help_of", "options_of"]

#: What IPython writes before the line of usage, for Sphinx.
FOR_SPHINX = "::\n\n  "


class HelpWanted(Exception):
    """
    The help of a magic is to be printed, and nothing else done.
    """


class Option(NamedTuple):
    """
    One option of a magic.
    """

    name: str
    #: A word follows that the user makes up.
    takes_value: bool


def options_of(magic: Any) -> tuple[Option, ...]:
    """
    List the options of a magic, by their long names.

    Args:
        magic: A method made by `magic_arguments`.
    """
    return tuple(
        Option(action.option_strings[-1], action.nargs != 0)
        for action in magic.parser._actions
        if action.option_strings
    )


def help_of(magic: Any) -> str:
    """
    Give the help of a magic as text.

    Args:
        magic: A method made by `magic_arguments`.
    """
    text: str = magic.parser.format_help()
    return text.removeprefix(FOR_SPHINX).strip()
