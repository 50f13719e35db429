"""How a digest reads: the subject, the text and the rows of the HTML, by the clock of its reader."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import wrap
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Kind
from newsfeed.digests.contents import Contents
from questions.models import Question

SHOWN = 3  # questions, and discussions
WIDTH = 72  # characters of a line of text
URGENT = {Question.Urgency.NOW: ", needed now", Question.Urgency.TODAY: ", needed within the day"}
KINDS = {  # one, several
    Kind.REPLY: ("answer or comment", "answers and comments"),
    Kind.MENTION: ("mention", "mentions"),
    Kind.MILESTONE: ("vote milestone", "vote milestones"),
    Kind.TOPIC: ("new question in a topic you follow", "new questions in topics you follow"),
    Kind.FOLLOW: ("word of a member you follow", "words of members you follow"),
    Kind.SEARCH: ("find of a saved search", "finds of saved searches"),
    Kind.ASKED: ("question put to you", "questions put to you"),
    Kind.FOLLOW_UP: ("follow-up", "follow-ups"),
    Kind.CASE: ("word on your cases", "words on your cases"),
    Kind.CASE_PAGE: ("case page", "case pages"),
    Kind.ON_CALL: ("on-call page", "on-call pages"),
    Kind.CONNECTION: ("word on your connections", "words on your connections"),
    Kind.VOUCH: ("vouch", "vouches"),
    Kind.POLL: ("word on polls", "words on polls"),
    Kind.GROUP: ("word on focus groups", "words on focus groups"),
    Kind.REWARD: ("reward", "rewards"),
    Kind.MODERATION: ("word of a moderator", "words of moderators"),
}
BUTTONS = {  # the one of a mail is for the first part it has
    "waiting": "See what waits",
    "answered": "See what is new",
    "told": "Open your notifications",
    "news": "See all news",
}


@dataclass(frozen=True)
class Written:
    subject: str
    text: str
    html: str  # rows of a table, see `accounts.services.mail.queue`


def write(contents: Contents, *, now: datetime, time_zone: str) -> Written:
    clock = Clock(now, ZoneInfo(time_zone))
    context = _context(contents, clock)
    text = render_to_string("newsfeed/digest/mail.txt", context)
    return Written(subject(contents), wrapped(text), render_to_string("newsfeed/digest/mail.htm", context))


def subject(contents: Contents) -> str:
    parts = [
        counted(len(contents.waiting), "question"),
        counted(len(contents.answered), "discussion"),
        counted(contents.notices, "notice"),
        counted(len(contents.news), "article"),
    ]
    return f"Your Sermo digest: {', '.join(filter(None, parts))}"


def counted(number: int, one: str, several: str = "") -> str:
    """ "1 question", "4 questions", and nothing where there is none."""
    return f"{number:,} {one if number == 1 else several or one + 's'}" if number else ""


def wrapped(text: str) -> str:
    """Lines of a width that every mail program shows, but for addresses; never two empty lines together."""
    lines = []
    for line in text.strip().splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        is_address = line.lstrip().startswith(("http://", "https://"))
        lines += [line.rstrip()] if is_address else wrap(line, WIDTH, subsequent_indent=indent) or [""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


class Clock:
    """Moments of the past in words."""

    def __init__(self, now: datetime, zone: ZoneInfo):
        self.now, self.zone = now, zone
        self.today = now.astimezone(zone).date()

    def ago(self, moment: datetime) -> str:
        """ "3 hours ago", "on Tuesday", "on Nov 3"."""
        minutes = max(0, int((self.now - moment) / timedelta(minutes=1)))
        if minutes < 60:
            return f"{counted(minutes, 'minute')} ago" if minutes else "just now"
        if minutes < 24 * 60:
            return f"{counted(minutes // 60, 'hour')} ago"
        return "yesterday" if self._days(moment) == 1 else f"on {self._day(moment)}"

    def since(self, moment: datetime) -> str:
        """ "since 6:40 am", "since yesterday", "since Tuesday", "since Nov 3"."""
        local, days = moment.astimezone(self.zone), self._days(moment)
        if days < 1:
            return f"since {local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"
        return "since yesterday" if days == 1 else f"since {self._day(moment)}"

    def _days(self, moment):
        return (self.today - moment.astimezone(self.zone).date()).days

    def _day(self, moment):
        local = moment.astimezone(self.zone)
        if self._days(moment) < 7:
            return f"{local:%A}"
        return f"{local:%b} {local.day}" + (f", {local.year}" if local.year != self.today.year else "")


def _context(contents: Contents, clock: Clock) -> dict:
    waiting_url = _url("questions:specialty", contents.specialty_slug) if contents.waiting else ""
    waiting_url += "?sort=unanswered" if waiting_url else ""
    context = {
        "date": f"{clock.today:%A}, {clock.today:%b} {clock.today.day}",
        "waiting": _waiting_line(contents, clock),
        "waiting_url": waiting_url,
        "asked": [
            (f"Asked {clock.ago(each.opened_at)}{URGENT.get(each.urgency, '')}", _question_url(each.question))
            for each in contents.waiting[:SHOWN]
        ],
        "has_more_waiting": len(contents.waiting) > SHOWN,
        "answered": _answered_line(contents),
        "answered_url": _url("questions:list") + "?sort=active&status=all&following=1",
        "discussions": [
            (_answers(each, clock), _question_url(each.question)) for each in contents.answered[:SHOWN]
        ],
        "has_more_answered": len(contents.answered) > SHOWN,
        "told": ", ".join(counted(number, *KINDS[kind]) for kind, number in contents.told),
        "told_url": _url("accounts:notices"),
        "news": [(each, _news_line(each), _url("newsfeed:article", each.article)) for each in contents.news],
        "news_url": _url("newsfeed:list"),
    }
    context["button"] = next(
        (words, context[f"{part}_url"]) for part, words in BUTTONS.items() if context[part]
    )
    return context


def _waiting_line(contents, clock):
    if not contents.waiting:
        return ""
    number = len(contents.waiting)
    oldest = min(each.opened_at for each in contents.waiting)
    waits = "waits" if number == 1 else "wait"
    age = clock.since(oldest) if number == 1 else f"the oldest {clock.since(oldest)}"
    return f"{counted(number, 'question')} in {contents.specialty} {waits} for an answer, {age}."


def _answered_line(contents):
    if not contents.answered:
        return ""
    discussions = counted(len(contents.answered), "discussion")
    return f"{counted(contents.new_answers, 'new answer')} in {discussions} you follow."


def _answers(each, clock):
    new = counted(each.number, "new answer")
    return (
        f"{new}, the last {clock.ago(each.latest)}" if each.number > 1 else f"{new} {clock.ago(each.latest)}"
    )


def _news_line(each):
    why = each.why[:1].upper() + each.why[1:]
    badge = "" if each.badge and why.startswith(each.badge) else each.badge  # a safety alert says so itself
    return " · ".join(filter(None, [each.journal, badge, why]))


def _question_url(pk):
    """Without the words of its title, which a longer address has."""
    return _url("questions:question_short", pk)


def _url(name, *args):
    return settings.SITE_URL + reverse(name, args=args)
