"""
What the parser of a magic knows: completion, help and the README are made from it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["HelpWanted", "Option", "help_of", "options_of", "words_of"]

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
    #: The only word of the magic that the option goes with, or "" where it goes with
    #: all.
    word: str


def words_of(magic: Any) -> tuple[str, ...]:
    """
    List the words that a magic takes, one at a time; none where it takes names.

    Args:
        magic: A method made by `magic_arguments`.
    """
    return tuple(
        word
        for action in magic.parser._actions
        if not action.option_strings
        for word in action.choices or ()
    )


def options_of(magic: Any) -> tuple[Option, ...]:
    """
    List the options of a magic, by their long names.

    A group of options that is named like a word of the magic goes with that word.

    Args:
        magic: A method made by `magic_arguments`.
    """
    words = words_of(magic)
    return tuple(
        Option(
            action.option_strings[-1],
            action.nargs != 0,
            group.title if group.title in words else "",
        )
        for group in magic.parser._action_groups
        for action in group._group_actions
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
