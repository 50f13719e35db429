"""The kinds of notices: what each is for, how it goes out unless chosen otherwise, and who can read and address it.

A digest is none of them: nobody is told by it alone, and `Kind.DIGEST` names only what its unsubscribe link stops.

Every app registers, in its module `notices`, how its notices read and, for what many members are told, who they are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from accounts.models import FanOut, Kind, Notice, User, Way

LESS_PRESSING = (
    60  # percent of a day's budget that kinds may use which can wait, so that replies still get through
)


@dataclass(frozen=True)
class Line:
    """A notice in words: who (empty where nobody is named), what they did, and where it is to be seen."""

    text: str
    url: str = ""
    title: str = ""
    name: str = ""


@dataclass(frozen=True)
class Rule:
    """How a kind is treated. `share` is the percentage of a day's budget it may use up; None stands outside of it.

    `subject` heads its mail. A mail lies in the inbox of a practice, so it names neither matter nor member.
    """

    help: str
    subject: str
    icon: str
    usual: Way = Way.APP
    share: int | None = 100
    may_be_off: bool = True
    readers_only: bool = True  # nobody but those who may read the site's discussions
    waits_for_digest: bool = False  # what a used-up budget holds back goes into the next digest


RULES = {
    Kind.REPLY: Rule(
        "Answers to your questions, comments on your answers, and what was credited or solved.",
        "New in one of your discussions",
        "reply",
        Way.EMAIL,
    ),
    Kind.MENTION: Rule(
        "Somebody wrote your handle with an @ before it.", "You were mentioned", "message-square"
    ),
    Kind.MILESTONE: Rule(
        "5, 10, 25, 50, 100 or 250 colleagues corroborated something you wrote.",
        "Colleagues corroborated you",
        "check-check",
        share=LESS_PRESSING,
    ),
    Kind.TOPIC: Rule(
        "A new question in a topic or specialty where you switched alerts on.",
        "A new question in a topic you follow",
        "bell",
        share=LESS_PRESSING,
    ),
    Kind.FOLLOW: Rule(
        "A handle you follow with alerts asked or answered.",
        "New from a colleague you follow",
        "circle-user-round",
        share=LESS_PRESSING,
    ),
    Kind.CONNECTION: Rule(
        "Requests to connect, and what became of yours.", "News of your connections", "link"
    ),
    Kind.VOUCH: Rule(
        "A colleague vouched for you.",
        "A colleague vouched for you",
        "badge-check",
        Way.EMAIL,
        readers_only=False,
    ),
    Kind.SEARCH: Rule(
        "Something new matches a search you saved with alerts.",
        "New for a search you saved",
        "search",
        share=LESS_PRESSING,
    ),
    Kind.ASKED: Rule(
        "A colleague's new question was put to you, by topic or by what you answered before.",
        "A question is put to you",
        "message-square",
        share=LESS_PRESSING,
    ),
    Kind.FOLLOW_UP: Rule(
        "7, 30 and 90 days after one of your questions was solved: what became of it? And what became of a question "
        "you planned to post later.",
        "What became of your question?",
        "circle-check",
    ),
    Kind.CASE: Rule(
        "A consent for pictures of yours ends soon or was taken back, a case where you wrote was withdrawn, news of "
        "a private consult, or what became of a page you sent.",
        "News of a case",
        "book-open",
        Way.EMAIL,
    ),
    Kind.CASE_PAGE: Rule(
        "A case was put before you by name of your specialty.",
        "A case waits for you",
        "phone-call",
        Way.EMAIL,
    ),
    Kind.ON_CALL: Rule(
        "You are on call and a colleague needs a word. Outside the daily budget.",
        "You are paged",
        "siren",
        Way.EMAIL,
        share=None,
    ),
    Kind.POLL: Rule(
        "A poll you opened, or saw and have not answered, closes soon; or the results of one you took are in.",
        "News of a poll",
        "vote",
    ),
    Kind.GROUP: Rule(
        "You are asked into a focus group; and of one you take part in: a seat, new sections, what is due, its end. "
        "Invitations that find your day's budget used up wait for your digest.",
        "News of a focus group",
        "users",
        Way.EMAIL,
        waits_for_digest=True,
    ),
    Kind.REWARD: Rule(
        "Something was credited or paid out to you.", "News of your rewards", "banknote", Way.EMAIL
    ),
    Kind.MODERATION: Rule(
        "A moderator decided about a post of yours or your membership. Outside the budget; it cannot be switched off.",
        "A moderator acted on something of yours",
        "scale",
        Way.EMAIL,
        share=None,
        may_be_off=False,
        readers_only=False,
    ),
}

GROUPS = {
    "Discussions": [
        Kind.REPLY,
        Kind.MENTION,
        Kind.MILESTONE,
        Kind.TOPIC,
        Kind.SEARCH,
        Kind.ASKED,
        Kind.FOLLOW_UP,
    ],
    "People": [Kind.FOLLOW, Kind.CONNECTION, Kind.VOUCH],
    "Cases and on call": [Kind.CASE, Kind.CASE_PAGE, Kind.ON_CALL],
    "Polls, groups, rewards": [Kind.POLL, Kind.GROUP, Kind.REWARD],
    "Moderation": [Kind.MODERATION],
}

Reader = Callable[[list[Notice], User], dict[int, Line]]
Recipients = Callable[[FanOut, int, int], list[int]]

_readers: dict[str, dict[str, Reader]] = defaultdict(dict)  # by kind, then by what keys begin with
_recipients: dict[str, Recipients] = {}


def register(kind: Kind, *, read: Reader, recipients: Recipients | None = None, prefix: str = "") -> None:
    """Say how notices of a kind read, and whom its fan-outs reach.

    Several apps may tell of one kind: with a `prefix` an app reads those whose keys begin with it and a colon, and
    leaves all others to who registers without one.

    `read(notices, user)` answers in at most two queries with a line by the notice's id, and leaves out what the user
    may not see now. `recipients(fan_out, after, limit)` gives the next ids of members above `after`, in their order;
    an empty list ends the fan-out.
    """
    _readers[kind][prefix] = read
    if recipients:
        _recipients[kind] = recipients


def recipients_of(fan_out: FanOut, limit: int) -> list[int]:
    """The next members of a fan-out. Raises KeyError for a kind that no app sends to many."""
    return _recipients[fan_out.kind](fan_out, fan_out.reached, limit)


def lines(notices: Iterable[Notice], user: User) -> dict[int, Line]:
    """What of these notices a user may read now, by the notice's id; one call for all kinds of one reader."""
    of_reader = defaultdict(list)
    for notice in notices:
        if read := _reader_of(notice):
            of_reader[read].append(notice)
    found: dict[int, Line] = {}
    for read, rows in of_reader.items():
        found |= read(rows, user)
    return found


def _reader_of(notice: Notice) -> Reader | None:
    readers = _readers.get(notice.kind, {})
    return readers.get(notice.key.partition(":")[0]) or readers.get("")
