"""How notices of cases read, and whom they reach.

What moderators decide about one's cases and pictures; what becomes of consents is in `notices_of_consents`.
"""

from uuid import UUID

from django.urls import reverse

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from consults import notices_of_consents, notices_of_stories, notices_on_call  # noqa: F401
from consults.models import Case, CaseDraft
from consults.services import telling
from questions.models import Question

OF_DRAFTS = {
    telling.RETURNED: "A moderator sent your case back",
    telling.REFUSED: "A moderator refused the pictures of your case; they are destroyed",
    telling.STOPPED: "Your case could not be posted",
}
OF_CASES = {
    telling.PUBLISHED: "A moderator looked at your case; it is posted",
    telling.FLAGGED: "A picture of yours was flagged as showing the patient; it is hidden until a moderator has looked",
    telling.SHOWN: "A picture of yours is shown again; a moderator found nothing that identifies the patient",
    telling.SHREDDED: "A picture of yours showed who the patient is; it is destroyed",
}
OF_FLAGS = {
    telling.RIGHT: "A picture you flagged showed who the patient is; it is destroyed",
    telling.WRONG: "A picture you flagged is shown again; a moderator found nothing that identifies the patient",
}


def read_moderation(notices: list[Notice], user: User) -> dict[int, Line]:
    """What moderators decided about one's cases, pictures and flags. Two queries.

    Keys are "case:<deed>:<id>", and of drafts "case:<deed>:<key>:<moment>".
    """
    deeds = {notice.pk: notice.key.split(":")[1:3] for notice in notices}
    keys = {UUID(name) for deed, name in deeds.values() if deed in OF_DRAFTS}
    drafts = CaseDraft.objects.own(user.as_member).in_bulk(keys) if keys else {}
    cases = _cases({notice.target for notice in notices if notice.target})
    found = {}
    for notice in notices:
        deed, name = deeds[notice.pk]
        if deed in OF_DRAFTS:
            found[notice.pk] = _line_of_draft(OF_DRAFTS[deed], drafts.get(UUID(name)))
        elif case := cases.get(notice.target):
            line = _line_of_case(deed, case, user)
            if line:
                found[notice.pk] = line
    return found


def _cases(ids: set[int]) -> dict[int, Case]:
    return Case.objects.select_related("question").in_bulk(ids) if ids else {}


def _line_of_draft(words: str, draft: CaseDraft | None) -> Line:
    """Sent again, posted or discarded since, it is only said."""
    if draft is None or draft.state != CaseDraft.State.RETURNED:
        return Line(words)
    return Line(words, reverse("consults:write", args=[draft.pk]), draft.title)


def _line_of_case(deed: str, case: Case, user: User) -> Line | None:
    is_own = case.question.asker_id == user.as_member.pk
    is_removed = case.question.status == Question.Status.REMOVED
    if deed in OF_FLAGS:
        return Line(OF_FLAGS[deed])  # whether they may still read the case is not asked here
    if not is_own or deed not in OF_CASES:
        return None
    return Line(OF_CASES[deed], "" if is_removed else case.get_absolute_url(), case.question.title)


register(Kind.MODERATION, read=read_moderation, prefix="case")
