"""How notices about consents and withdrawn cases read."""

from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from consults.models import Case, Consent
from questions.models import Question

WITHDRAWN = {
    Case.Withdrawn.AUTHOR: "A case you wrote in was withdrawn by its author",
    Case.Withdrawn.CONSENT: "A case you wrote in was withdrawn: the patient's consent ended",
    Case.Withdrawn.IDENTITY: "A case you wrote in was withdrawn: a patient could be identified",
}
OWN = {
    Case.Withdrawn.AUTHOR: "Your case was withdrawn",
    Case.Withdrawn.CONSENT: "Your case was withdrawn: the patient's consent ended",
    Case.Withdrawn.IDENTITY: "Your case was withdrawn: a patient could be identified",
}


def read_withdrawn(notices: list[Notice], user: User) -> dict[int, Line]:
    """That a case is gone, as long as its discussion is open to the reader. One query."""
    visible = Question.objects.visible_to(user).listed()
    numbers = {notice.target for notice in notices}
    cases = Case.objects.filter(question__in=visible, pk__in=numbers, withdrawn_at__isnull=False)
    known = cases.select_related("question").in_bulk()
    found = {}
    for notice in notices:
        if case := known.get(notice.target):
            is_own = user.as_member is not None and case.question.asker_id == user.as_member.pk
            words = (OWN if is_own else WITHDRAWN)[case.withdrawn]
            found[notice.pk] = Line(words, case.get_absolute_url(), case.question.title)
    return found


def read_consents(notices: list[Notice], user: User) -> dict[int, Line]:
    """That a consent of one's own ends, has ended, or was taken back. One query."""
    own = Consent.objects.own(user.as_member)
    known = own.filter(pk__in={notice.target for notice in notices}).in_bulk()
    found = {}
    for notice in notices:
        consent = known.get(notice.target)
        if consent and (words := _words(notice, consent)):
            url = reverse("consults:consent", args=[consent.pk])
            found[notice.pk] = Line(words, url, consent.note or consent.get_kind_display())
    return found


def _words(notice: Notice, consent: Consent) -> str:
    """A reminder of a day that was put off since says nothing any more."""
    deed = notice.key.split(":")[2]
    if consent.revoked_at is not None:
        return "A patient took a consent back. No one sees its pictures any more" if deed == "revoked" else ""
    if consent.expires_on is None or deed != f"{consent.expires_on:%Y%m%d}":
        return ""
    day = date_format(consent.expires_on, "M j, Y")
    if consent.expires_on < timezone.now().date():
        return f"A consent ended {day}. Its pictures are hidden, and destroyed 30 days after that day"
    return f"A consent for pictures ends {day}"


register(Kind.CASE, read=read_withdrawn, prefix="case")
register(Kind.CASE, read=read_consents, prefix="consent")
