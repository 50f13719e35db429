"""Taking a case back: its pictures are destroyed, what its author said about the patient goes, and colleagues are told.

What colleagues wrote stays theirs. Row locks are taken in the order chain, discussion, draft or case, images, consent:
a moderator who redacts holds the discussion when the words of its case are cut.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import Kind, Member
from accounts.services import notices
from consults.models import Case, CaseDraft, Diagnosis, DiagnosisVote, Image, ImageFlag, Marker
from consults.services import diagnoses, drafts, stories
from consults.signals import case_withdrawn
from questions.models import Appeal, Draft, Flag, FollowUp, ModerationAction, Post, Question, Revision, Vote
from questions.services import telling
from questions.signals import opening_rewritten, question_closed, words_taken_out
from sermo.errors import RuleBroken
from sermo.text import render_markdown
from verification.services import events

log = structlog.get_logger(__name__)
TITLE = "Withdrawn case"
STUBS = {
    Case.Withdrawn.AUTHOR: "*Withdrawn by its author.*",
    Case.Withdrawn.CONSENT: "*Withdrawn because the consent ended.*",
    Case.Withdrawn.IDENTITY: "*Withdrawn because a patient could be identified.*",
}
DIAGNOSIS = "Withdrawn"
DISPUTE = "Withdrawn with the case."  # as long as the reason of a dispute must be
SHREDDED = {
    Case.Withdrawn.AUTHOR: Image.Shredded.AUTHOR,
    Case.Withdrawn.CONSENT: Image.Shredded.CONSENT,
    Case.Withdrawn.IDENTITY: Image.Shredded.IDENTITY,
}


class NotYours(RuleBroken):
    message = "Only its author can withdraw a case."


# A case


@transaction.atomic
def withdraw(*, case: Case, why: str, by: Member | None = None) -> Case:
    """Destroy the pictures of a case in all sizes, stub what its author wrote there, close it, and tell who took part.

    `by` is the author who asks for it; none where a consent ended or a patient was identified. Twice is as good as
    once. Raises NotYours. Announces question_closed of an open discussion, and case_withdrawn.
    """
    events.lock_chain()
    question = Question.objects.select_for_update(of=("self",)).select_related("asker").get(pk=case.pk)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    images = list(case.images.select_for_update(of=("self",)).order_by("pk"))
    if by is not None and question.asker_id != by.pk:
        raise NotYours
    if case.is_withdrawn:
        return case
    for image in images:
        _shred(image, SHREDDED[why])
    _empty_case(case, why)
    stories.erase_of([case.pk])
    _empty_discussion(question, STUBS[why])
    _empty_beside(question)
    _empty_moderation(question)
    _close(question)
    events.record(kind="case_withdrawn", object=f"case:{case.pk}", reason=why)
    case_withdrawn.send(sender=Case, case=case)
    _tell(case, question, by)
    return case


def _empty_case(case: Case, why: str) -> None:
    case.withdrawn, case.withdrawn_at = why, timezone.now()
    case.solution = case.solution_html = ""
    case.save(update_fields=["withdrawn", "withdrawn_at", "solution", "solution_html"])
    Marker.objects.filter(case=case, removed_at=None).update(removed_at=case.withdrawn_at)
    Marker.objects.filter(case=case).update(label="")
    ImageFlag.objects.filter(image__case=case).update(words="")
    _empty_board(case)


def _empty_board(case: Case) -> None:
    """Leave of the diagnoses, the final one among them, which forecasts met it: that is their authors'."""
    for diagnosis in Diagnosis.objects.filter(case=case):
        diagnosis.name, diagnosis.code = DIAGNOSIS, ""
        diagnosis.key = diagnoses.nameless_key(diagnosis, DIAGNOSIS)
        diagnosis.save(update_fields=["name", "key", "code"])
    disputes = DiagnosisVote.objects.filter(diagnosis__case=case).exclude(explanation="")
    disputes.update(explanation=DISPUTE)


def _empty_discussion(question: Question, stub: str) -> None:
    """Let every post of the asker say that it was withdrawn, and nothing beside it show what it said."""
    own = question.posts.filter(author=question.asker)
    Revision.objects.filter(post__in=own).delete()
    for post in own.select_for_update(of=("self",)).order_by("pk"):
        post.references.all().delete()
        post.source, post.html, post.search_text, post.edited_at = stub, render_markdown(stub), "", None
        post.save(update_fields=["source", "html", "search_text", "edited_at"])
    _empty_drafts(question, own)
    question.tags.clear()
    question.title, question.excerpt, question.outcome = TITLE, "", ""
    question.save(update_fields=["title", "excerpt", "outcome"])
    if question.has_poll:
        words_taken_out.send(sender=Question, question=question, cut=lambda text: text and TITLE, kept={})
    opening_rewritten.send(sender=Question, question=question)


def _empty_drafts(question: Question, own) -> None:
    """What the asker typed there and did not post, or was about to change."""
    places = [f"answer:{question.pk}"]
    places += [f"edit:{pk}" for pk in own.values_list("pk", flat=True)]
    places += [f"comment:{pk}" for pk in question.posts.values_list("pk", flat=True)]
    Draft.objects.filter(member=question.asker, place__in=places).delete()


def _empty_beside(question: Question) -> None:
    """What the asker said about answers, and about what became of the patient."""
    FollowUp.objects.filter(question=question).exclude(text="").update(text="")
    disputes = Vote.objects.filter(post__question=question, voter=question.asker).exclude(explanation="")
    disputes.update(explanation=DISPUTE)


def _empty_moderation(question: Question) -> None:
    """What moderators put aside of it, and what was said to them about it. Appeals that wait keep their words."""
    own = question.posts.filter(author=question.asker)
    acts = ModerationAction.objects.filter(post__in=own)
    acts.filter(kind=ModerationAction.Kind.REDACT).update(before=None)
    Appeal.objects.filter(action__in=acts, decided_at__isnull=False).update(text="")
    Flag.objects.filter(post__question=question, reporter=question.asker).update(words="")
    for removal in acts.filter(kind=ModerationAction.Kind.REMOVE, post__kind=Post.Kind.OPENING):
        if removal.before:  # put back, it is closed
            removal.before["status"] = Question.Status.CLOSED
            removal.save(update_fields=["before"])


def _close(question: Question) -> None:
    """For good reading, also where a moderator had removed it and puts it back."""
    if question.closed_at is not None:
        return
    was_open = question.is_open
    question.closed_at, question.close_reason = timezone.now(), Question.CloseReason.AUTHOR
    if was_open:
        question.status = Question.Status.CLOSED
    question.save(update_fields=["status", "closed_at", "close_reason"])
    if was_open:
        question_closed.send(sender=Question, question=question)


def _tell(case: Case, question: Question, by: Member | None) -> None:
    """Whoever wrote there, and the author, unless it was the author's own act."""
    opening = question.posts.select_related("byline").get(kind=Post.Kind.OPENING)
    opening.question = question
    wrote = Exists(question.posts.standing().filter(author=OuterRef("pk")))
    members = set(telling.may_hear(opening).filter(wrote).values_list("pk", flat=True))
    if by is None:
        members.add(question.asker_id)
    notices.tell(
        members=sorted(members),
        kind=Kind.CASE,
        target=case.pk,
        about=f"question:{case.pk}",
        key=f"case:{case.pk}:withdrawn",
    )


# A draft


@transaction.atomic
def end_draft(*, draft: CaseDraft, why: str) -> None:
    """Shred the pictures of a draft, whatever its state, and forget it. Twice is as good as once."""
    draft = CaseDraft.objects.select_for_update(of=("self",)).filter(pk=draft.pk).first()
    if draft is None:
        return
    drafts.shred_all(draft, why)
    draft.delete()


# A picture


@transaction.atomic
def shred(*, image: Image, why: str) -> Image:
    """Destroy one picture in all sizes, with all that is said of it there. Twice is as good as once."""
    image = Image.objects.select_for_update(of=("self",)).get(pk=image.pk)
    _shred(image, why)
    return image


def _shred(image: Image, why: str) -> None:
    if image.is_shredded:
        return
    drafts.shred(image, why)
    Marker.objects.filter(image=image, removed_at=None).update(removed_at=timezone.now())
    Marker.objects.filter(image=image).update(label="")
    ImageFlag.objects.filter(image=image).update(words="")


def shred_removed() -> int:
    """Shred the pictures of discussions that a moderator removed, once that cannot be taken back; return how many."""
    return sum(_shred_alone(image) for image in removed_for_good(timezone.now()).order_by("pk"))


def removed_for_good(at: datetime) -> QuerySet[Image]:
    """Pictures of discussions that had been removed at a moment, with no appeal that waits or can still come."""
    late = at - timedelta(days=settings.APPEAL_WITHIN_DAYS)
    appealed = Appeal.objects.waiting().filter(action__post__question=OuterRef("case"))
    removed = Post.objects.filter(question=OuterRef("case"), kind=Post.Kind.OPENING, removed_at__lt=late)
    due = Image.objects.filter(Exists(removed), ~Exists(appealed), case__question__status="removed")
    return due.exclude(state=Image.State.SHREDDED)


def _shred_alone(image: Image) -> bool:
    """A fault at one picture keeps no other."""
    try:
        shred(image=image, why=Image.Shredded.REMOVED)
    except Exception as error:
        log.error("removed_picture_not_shredded", image=image.pk, error=type(error).__name__)
        return False
    return True
