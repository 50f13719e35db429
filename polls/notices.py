"""How notices of polls read, and whom they reach.

Moderators close polls and decide about votes, too.
"""

from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from polls.cells import LEAST
from polls.models import Concern, Poll
from polls.services import telling
from questions.models import Question


def read_polls(notices: list[Notice], user: User) -> dict[int, Line]:
    """That a poll ends and that it has, as long as its discussion is open to the reader. One query."""
    polls = _polls(notices, user)
    found = {}
    for notice in notices:
        if poll := polls.get(abs(notice.target)):
            found[notice.pk] = Line(_words(notice, poll, user), poll.get_absolute_url(), poll.question.title)
    return found


def _polls(notices: list[Notice], user: User) -> dict[int, Poll]:
    visible = Question.objects.visible_to(user).listed()
    polls = Poll.objects.filter(question__in=visible, pk__in={abs(notice.target) for notice in notices})
    return polls.select_related("question", "tally").in_bulk()


def _words(notice: Notice, poll: Poll, user: User) -> str:
    is_own = poll.question.asker_id == user.as_member.pk
    if notice.key == telling.key(poll.pk, telling.END) and not poll.is_over:
        ends = date_format(timezone.localtime(poll.closes_at), "M j, g:i a")
        return f"Your poll closes {ends}" if is_own else f"A poll closes {ends}"
    if poll.is_over and _has_results(poll):
        return "The results of your poll are in" if is_own else "The results of a poll are in"
    return "Your poll has closed" if is_own else "A poll has closed"


def _has_results(poll: Poll) -> bool:
    return poll.tally.voters >= (LEAST if poll.is_for_some else 1)


def read_moderation(notices: list[Notice], user: User) -> dict[int, Line]:
    """What moderators decided about one's polls and votes. Two queries."""
    polls = _polls(notices, user)
    concerns = Concern.objects.decided().filter(member=user.as_member).in_bulk()
    found = {}
    for notice in notices:
        deed, *rest = notice.key.split(":")[2:]
        poll = polls.get(notice.target)
        title = poll.question.title if poll else ""
        if deed == telling.CONCERN:
            if concern := concerns.get(int(rest[0])):
                found[notice.pk] = _line_of_concern(concern, rest[1], title)
        elif poll:
            found[notice.pk] = Line(
                "Your poll was closed early by a moderator", poll.get_absolute_url(), title
            )
    return found


def _line_of_concern(concern: Concern, state: str, title: str) -> Line:
    words = {
        Concern.State.UPHELD: "A moderator decided about your vote in a poll",
        Concern.State.DISMISSED: "A moderator took a decision about your vote in a poll back",
    }
    return Line(words[state], reverse("polls:decide", args=[concern.pk]), title)


register(Kind.POLL, read=read_polls, recipients=telling.next_members)
register(Kind.MODERATION, read=read_moderation, prefix="poll")
