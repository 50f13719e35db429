"""A provider of calls for tests: it remembers what it said, or cannot reach anybody."""

import re

from verification import calling

SAID: list[tuple[str, str, str]] = []  # kind, number, words


class Recorder:
    def is_ready(self):
        return True

    def say(self, number, words):
        SAID.append(("phone", number, words))

    def fax(self, number, words):
        SAID.append(("fax", number, words))


class Deaf(Recorder):
    """Nobody is reached, and nothing rang."""

    def say(self, number, words):
        raise calling.Unreachable("no line")

    fax = say


class Unheard(Recorder):
    """It may have rung."""

    def say(self, number, words):
        SAID.append(("phone", number, words))
        raise calling.Unreachable("no answer", may_have_rung=True)


def code_said(words: str, digits: int = 6) -> str:
    """The code in what was said, faxed or mailed."""
    joined = re.sub(r"(?<=\d)[, ]+(?=\d)", "", words)
    return re.search(rf"(?<!\d)\d{{{digits}}}", joined).group()


def name(provider) -> str:
    """How a setting names one of these."""
    return f"{__name__}.{provider.__name__}"
