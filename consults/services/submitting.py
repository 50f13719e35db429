"""Sending a case: every rule is asked once more, its pictures are masked for good, and it goes out or waits."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Member, User
from accounts.services import identifiers
from accounts.services.identifiers import Kept
from consults import written
from consults.models import Case, CaseDraft, Consent, Image
from consults.models.images import MOST_IMAGES
from consults.services import diagnoses, masking, solving, triage
from consults.words import CHECKLIST, TICKS, number_of
from consults.written import Written
from questions.models import Post, Question
from questions.services import inviting, limits, writing
from sermo.errors import RuleBroken
from sermo.text import render_markdown

DRAFT_PLACE = "case"  # drafts of questions are left alone


class ChecklistOpen(RuleBroken):
    """`missing` are the keys not ticked."""

    def __init__(self, missing: Collection[str]):
        self.missing = tuple(key for key, _ in CHECKLIST if key in missing)
        super().__init__(f"{number_of(len(self.missing), 'point')} of the checklist not ticked yet.")


class NoPictures(RuleBroken):
    message = f"A case has 1 to {MOST_IMAGES} pictures. Add one first."


class DescriptionMissing(RuleBroken):
    """`image` is the first without one."""

    message = "Say in words what each picture shows, for colleagues who cannot see it."

    def __init__(self, image: Image):
        super().__init__()
        self.image = image


class ConsentMissing(RuleBroken):
    message = "A case needs a consent of yours that stands. Choose one, or attest a new one."


class NotForTeaching(ConsentMissing):
    message = (
        "This consent covers a consult, not teaching. Ask for help with the case, or attest another consent."
    )


class ConsentOfOtherFace(ConsentMissing):
    """When a consent ends, all under it goes at one moment: whoever saw that would know both faces for one person."""

    message = "A case under your other signature has this consent. Take another consent for this signature."


class ChangedMeanwhile(RuleBroken):
    message = "A picture was added while the case was sent. Look at it, then send the case again."


class NotReviewed(RuleBroken):
    message = "A moderator looks at this case before its readers do."


@dataclass(frozen=True)
class Ready:
    """A locked draft in which nothing is missing."""

    draft: CaseDraft
    said: Written
    images: list[Image]
    consent: Consent


def submit(
    *,
    draft: CaseDraft,
    member: Member,
    consent: Consent,
    ticks: Collection[str],
    kept: Kept | None = None,
) -> Case | CaseDraft:
    """Send a case: masks its pictures and destroys what they were, then publishes it, or leaves it to a moderator.

    The same draft twice makes one case. `kept` is what its author lets stand in the text although it was found. Call
    it in no transaction: each original is destroyed for good, whatever becomes of the next.

    Raises ChecklistOpen, NoPictures, DescriptionMissing, ConsentMissing, NotForTeaching, ConsentOfOtherFace,
    ChangedMeanwhile, written.Incomplete, masking.MaskingFailed, inviting.CannotBeInvited, inviting.TooManyInvited, and
    what `questions.services.writing.open_question` raises.
    """
    if missing := TICKS - set(ticks):
        raise ChecklistOpen(missing)
    ready = _begin(draft, member, consent)
    if not isinstance(ready, Ready):
        return ready
    for image in ready.images:
        masking.mask(image)
    return _finish(draft, member, consent, kept)


@transaction.atomic
def _begin(draft: CaseDraft, member: Member, consent: Consent) -> Ready | Case | CaseDraft:
    """Refuse what can be refused before an original is destroyed; or what an earlier submission made of the draft."""
    found = _lock(draft, member)
    if not isinstance(found, CaseDraft) or found.is_waiting:
        return found
    ready = check(found, consent)
    said = ready.said
    byline = said.byline or member.byline_mode
    writing.check_audience(member, said.audience, list(said.specialties), byline, kind=Question.Kind.CASE)
    if said.invited:
        inviting.members_named(said.invited, by=member)
    found.consent = ready.consent  # kept whatever comes of it: its end destroys what is masked from here on
    found.save(update_fields=["consent"])
    return ready


@transaction.atomic
def _finish(draft: CaseDraft, member: Member, consent: Consent, kept: Kept | None) -> Case | CaseDraft:
    found = _lock(draft, member)
    if not isinstance(found, CaseDraft) or found.is_waiting:
        return found
    ready = check(found, consent)
    if not all(image.is_masked for image in ready.images):
        raise ChangedMeanwhile
    hits = triage.look(found)
    if kept:
        identifiers.record(member=member, place="case", kept=kept)
    found.consent, found.hits, found.answer = ready.consent, hits.as_dict(), ""
    if hits.is_clean:
        return _publish(ready, reviewed_by=None)
    found.state, found.submitted_at, found.decided_by = CaseDraft.State.WAITING, timezone.now(), None
    found.save(update_fields=["state", "submitted_at", "decided_by", "consent", "hits", "answer"])
    return found


def _lock(draft: CaseDraft, member: Member) -> CaseDraft | Case:
    """One's own draft, locked after oneself; or the case it has become. Raises CaseDraft.DoesNotExist."""
    _lock_member(member.pk)
    own = CaseDraft.objects.own(member).select_for_update(of=("self",)).select_related("member")
    if found := own.filter(pk=draft.pk).first():
        return found
    earlier = Post.objects.filter(author=member, submission=draft.pk, kind=Post.Kind.OPENING)
    if case := Case.objects.filter(question__in=earlier.values("question")).first():
        return case
    raise CaseDraft.DoesNotExist


def _lock_member(member_id: int) -> None:
    """Before the draft, as whoever leaves does, and whoever begins a case; `bylines.sign` comes to it again."""
    Member.objects.select_for_update(no_key=True).filter(pk=member_id).first()


def check(draft: CaseDraft, consent: Consent | None) -> Ready:
    """What a locked draft holds, locked with its pictures and its consent.

    Raises writing.ReadOnly, limits.Held, written.Incomplete, NoPictures, DescriptionMissing, ConsentMissing,
    NotForTeaching, ConsentOfOtherFace.
    """
    if not draft.member.may_write:
        raise writing.ReadOnly
    limits.check_not_held(draft.member)
    said = _read(draft)
    images = list(triage.standing_images(draft).select_for_update(of=("self",)))
    if not 1 <= len(images) <= MOST_IMAGES:
        raise NoPictures
    for image in images:
        if not image.description:
            raise DescriptionMissing(image)
    own = Consent.objects.own(draft.member).select_for_update(of=("self",))
    consent = own.filter(pk=consent.pk if consent else None).first()
    if consent is None or not consent.is_standing:
        raise ConsentMissing
    if said.intent == Case.Intent.TEACHING and not consent.for_teaching:
        raise NotForTeaching
    if _is_of_other_face(consent, draft, said):
        raise ConsentOfOtherFace
    return Ready(draft, said, images, consent)


def _is_of_other_face(consent: Consent, draft: CaseDraft, said: Written) -> bool:
    """Whether a locked consent covers a case, out or waiting, under another face than this draft's."""
    modes = triage.modes_of_face(triage.mode_of(draft, said.byline))
    under = Post.objects.filter(kind=Post.Kind.OPENING, byline__mode__in=modes, question=OuterRef("pk"))
    if Case.objects.filter(~Exists(under), consent=consent, withdrawn_at=None).exists():
        return True
    waiting = CaseDraft.objects.filter(consent=consent, state=CaseDraft.State.WAITING).exclude(pk=draft.pk)
    return any(
        triage.mode_of(other, other.fields.get("byline")) not in modes
        for other in waiting.select_related("member")
    )


def _read(draft: CaseDraft) -> Written:
    said = written.read(draft.fields)
    if len(said.title) > Question._meta.get_field("title").max_length:
        raise written.Incomplete("title")
    if said.solution and not render_markdown(said.solution).strip():
        raise written.Incomplete("solution")
    if said.final_diagnosis and not diagnoses.normalize(said.final_diagnosis):
        raise written.Incomplete("final_diagnosis")
    return said


# Publishing


@transaction.atomic
def publish(*, draft: CaseDraft, reviewed_by: User | None = None) -> Case:
    """Open the discussion of a draft that is masked, with its consent. The draft goes; its key is the submission.

    Without a moderator who looked only what is clean goes out. Of the colleagues named those are asked in who still
    can be. Raises NotReviewed, ChangedMeanwhile, inviting.CannotBeInvited where none can, what `check` raises, and what
    `questions.services.writing.open_question` raises.
    """
    _lock_member(draft.member_id)
    rows = CaseDraft.objects.select_for_update(of=("self",)).select_related("member", "consent")
    draft = rows.get(pk=draft.pk)
    ready = check(draft, draft.consent)
    if not all(image.is_masked for image in ready.images):
        raise ChangedMeanwhile
    if reviewed_by is None and not triage.look(draft).is_clean:
        raise NotReviewed
    return _publish(ready, reviewed_by)


def _publish(ready: Ready, reviewed_by: User | None) -> Case:
    draft, said, consent = ready.draft, ready.said, ready.consent
    invited = inviting.members_left(said.invited, by=draft.member) if said.invited else []
    question = writing.open_question(
        asker=draft.member,
        kind=Question.Kind.CASE,
        title=said.title,
        source=said.source,
        specialties=said.specialties,
        tags=said.tags,
        audience=said.audience,
        # also once it is opened to all
        peers_only=bool(said.invited) or not consent.for_observers or draft.member.peers_only,
        answer_first=True,
        urgency=said.urgency,
        byline=said.byline,
        byline_confirmed=said.byline_confirmed,
        put_to_colleagues=said.intent == Case.Intent.HELP,
        submission=draft.pk,
        draft_place=DRAFT_PLACE,
    )
    case = Case.objects.create(
        question=question,
        intent=said.intent,
        ask=said.ask,
        age_band=said.age_band,
        sex=said.sex,
        care_under_way=said.care_under_way,
        solution=said.solution,
        solution_html=render_markdown(said.solution) if said.solution else "",
        consent=consent,
        reviewed_by=reviewed_by,
    )
    if case.is_teaching:
        solving.state_outcome(case=case, name=said.final_diagnosis, confirmed=said.confirmed)
    for place, image in enumerate(ready.images, start=1):
        image.draft, image.case, image.consent, image.place = None, case, consent, place
        image.save(update_fields=["draft", "case", "consent", "place"])
    if invited:
        inviting.invite(question=question, by=draft.member, members=invited)
    draft.delete()
    return case
