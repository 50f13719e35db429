"""How notices of private consults read: to whom is asked in, and to their askers."""

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from questions.models import Byline, Invitation, Question
from questions.signature import signature

ANSWERED = {
    Invitation.State.ACCEPTED: "accepted your invitation into a private consult",
    Invitation.State.DECLINED: "declined your invitation into a private consult",
    Invitation.State.EXPIRED: "did not answer your invitation into a private consult in time",
}
TO_ASKER = {"kept": "A colleague keeps what they wrote in your private consult closed"}


def read_invited(notices: list[Notice], user: User) -> dict[int, Line]:
    """That one is asked into a private consult, as long as that is open to one. Two queries."""
    own = Invitation.objects.standing().filter(
        member=user.as_member, question__in={row.target for row in notices}
    )
    asked = {row.question_id: row for row in own}
    known = _questions(asked, user) if asked else {}
    found = {}
    for notice in notices:
        if question := known.get(notice.target):
            signed = signature(question.asker_mode, question.asker)
            words = "asked you into a private consult" + _left(asked[question.pk], question)
            found[notice.pk] = Line(words, question.get_absolute_url(), question.title, signed.name)
    return found


def _left(invitation: Invitation, question: Question) -> str:
    """How long one has to answer it, where one has not."""
    if invitation.state != Invitation.State.SENT or not question.is_private:
        return ""
    return f"; {words_left(invitation.due_at)} left to answer"


def words_left(due_at) -> str:
    """The time until a moment, as one says it: "3 h 20 min"."""
    minutes = max(int((due_at - timezone.now()).total_seconds() // 60), 0)
    hours, rest = divmod(minutes, 60)
    said = ([f"{hours} h"] if hours else []) + ([f"{rest} min"] if rest else [])
    return " ".join(said) or "less than a minute"


def read_private(notices: list[Notice], user: User) -> dict[int, Line]:
    """What became of invitations, and of opening a private consult to all. Two queries.

    Keys are "private:<state>:<invitation>" and "private:<asked, kept or opened>:<question>".
    """
    known = _questions({notice.target for notice in notices}, user)
    deeds = {notice.pk: notice.key.split(":")[1:3] for notice in notices}
    numbers = {int(number) for deed, number in deeds.values() if deed in ANSWERED}
    rows = Invitation.objects.filter(question__asker=user.as_member).select_related("member")
    invitations = rows.in_bulk(numbers) if numbers else {}
    found = {}
    for notice in notices:
        deed, number = deeds[notice.pk]
        question = known.get(notice.target)
        if question and (said := _words(deed, question, invitations.get(int(number)), user)):
            words, name = said
            found[notice.pk] = Line(words, question.get_absolute_url(), question.title, name)
    return found


def _words(
    deed: str, question: Question, invitation: Invitation | None, user: User
) -> tuple[str, str] | None:
    """What is said, and who is named."""
    is_asker = question.asker_id == user.as_member.pk
    if deed in ANSWERED:
        return (ANSWERED[deed], invitation.member.handle) if invitation and is_asker else None
    if deed == "opened":
        return None if question.is_private else ("A private consult is open to all physicians now", "")
    if not question.is_private:
        return None
    if deed == "asked":
        return "You are asked to let all physicians read what you wrote in a private consult", ""
    return (TO_ASKER[deed], "") if is_asker and deed in TO_ASKER else None


def _questions(ids, user: User) -> dict[int, Question]:
    signed = Byline.objects.filter(question=OuterRef("pk"), member=OuterRef("asker")).values("mode")
    rows = Question.objects.visible_to(user).listed().select_related("asker__specialty")
    return rows.annotate(asker_mode=Subquery(signed[:1])).in_bulk(ids) if user.as_member else {}


register(Kind.CASE_PAGE, read=read_invited, prefix="invited")
register(Kind.CASE, read=read_private, prefix="private")
