"""Regular expressions that come to an end: compiled within a size, compared within a time.

Strategy: Python's `re` says what a regular expression is, and with which complaint it is none; `regex`, which can be
told when to give up, does the comparing. `regex` knows more than `re`; what it alone would take for something special
(fuzzy matching, such as `a{e<=1}`) is made literal, so that both mean the same. It copies what is repeated a certain
number of times, or at least once, so that the size is looked at before.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

import regex

from alg.errors import ConfigError

LIMIT: Final = 1.0
"""Seconds of computing within which an alias matches or does not; `(a|aa)+` tries 10^12 ways through 60 letters."""
_LARGEST: Final = 20_000
"""Characters, classes and copies of them in an expression; some 20 MB."""
_BRACE: Final = re.compile(r"\\N\{[^}]*\}|\\.|\{(?!\d*,?\d*\})", re.DOTALL)
"""What a backslash protects, and the brace that begins no repetition."""
_PIECE: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[*+?]|\{(\d*),?\d*\}|.", re.DOTALL)
_REPETITIONS: Final = frozenset("*+?{")


class Undecided(ConfigError):
    """An expression is too complex to say whether it matches."""


def compile_expression(text: str) -> regex.Pattern[str]:
    """The expression, without regard to case; ConfigError if it is none, or too large."""
    try:
        with warnings.catch_warnings():
            # Python foresees nested sets; POSIX takes "[" in a bracket expression literally.
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(text, re.IGNORECASE | re.ASCII)
            if _size(text) > _LARGEST:
                raise ConfigError(f"with its repetitions it has more than {_LARGEST} characters")
            literal = _BRACE.sub(lambda found: found[0] if len(found[0]) > 1 else r"\{", text)
            return regex.compile(literal, regex.VERSION0 | regex.IGNORECASE | regex.ASCII)
    except (re.error, regex.error, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(str(error)) from None


def _size(text: str) -> int:
    """Of what a correct expression is compiled to."""
    sizes, latest = [0], 0
    for piece in _PIECE.finditer(text):
        if piece[0] == "(":
            sizes.append(0)
        elif piece[0] == ")" and len(sizes) > 1:
            latest = sizes.pop()
            sizes[-1] += latest
        elif piece[0][0] in _REPETITIONS:
            copies = 1 if piece[0] == "+" else int(piece[1] or 0)
            sizes[-1] += latest * copies
            latest *= copies + 1
        else:
            latest = 1
            sizes[-1] += 1
    return sum(sizes)
