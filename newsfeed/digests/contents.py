"""What a digest tells of. Nothing here holds words of members."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import Kind


@dataclass(frozen=True)
class Waiting:
    """A question nobody answered yet."""

    question: int
    opened_at: datetime
    urgency: str


@dataclass(frozen=True)
class Answered:
    """A discussion one follows, with how many answers are new and when the last came."""

    question: int
    number: int
    latest: datetime


@dataclass(frozen=True)
class News:
    article: int
    title: str
    journal: str
    badge: str
    why: str


@dataclass(frozen=True)
class Contents:
    """Each in the order told. `waiting` and `answered` are whole lists, of which a mail shows the first few."""

    specialty: str = ""
    specialty_slug: str = ""
    waiting: tuple[Waiting, ...] = ()
    answered: tuple[Answered, ...] = ()
    told: tuple[tuple[Kind, int], ...] = ()
    news: tuple[News, ...] = ()

    @property
    def number(self) -> int:
        """Of questions, discussions, notices and articles together; 0 means there is nothing to send."""
        return len(self.waiting) + len(self.answered) + self.notices + len(self.news)

    @property
    def new_answers(self) -> int:
        return sum(each.number for each in self.answered)

    @property
    def notices(self) -> int:
        return sum(number for _, number in self.told)
