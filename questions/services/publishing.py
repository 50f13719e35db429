"""Posting a question later than it was written: waiting keeps an event in the news from pointing to a patient."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Kind, Member, Specialty
from accounts.services import notices
from questions.models import Draft, Post, Question
from questions.services import writing
from sermo.errors import RuleBroken


class TooManyWaiting(RuleBroken):
    message = "So many of your questions wait to be posted already. Post or cancel one of them first."


class AnotherInWriting(RuleBroken):
    message = "Another question of yours is in writing. Post or discard it first, so that neither is lost."


class NotWaiting(RuleBroken):
    message = "This question does not wait any more."


class NoSpecialtyLeft(RuleBroken):
    message = "The specialties you chose are not among the choices any more. Choose others."


@transaction.atomic
def post_later(*, member: Member, fields: dict[str, object], submission: uuid.UUID) -> Draft:
    """Keep a checked question as a draft that is posted by itself in two weeks; the ask form's draft becomes it.

    The same submission twice is one. Raises TooManyWaiting.
    """
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)  # two at once count one after the other
    place = f"later:{submission}"
    waiting = member.drafts.filter(publish_at__isnull=False).exclude(place=place)
    if waiting.count() >= settings.MOST_LATER:
        raise TooManyWaiting
    draft, _ = Draft.objects.update_or_create(
        member=member,
        place=place,
        defaults={
            "fields": fields,
            "saved_at": timezone.now(),
            "publish_at": timezone.now() + timedelta(days=settings.POST_LATER_DAYS),
            "refused": "",
        },
    )
    writing.forget_draft(member=member, place="ask")
    return draft


def due() -> list[int]:
    rows = Draft.objects.filter(publish_at__lte=timezone.now(), refused="")
    return list(rows.order_by("publish_at", "pk").values_list("pk", flat=True))


@transaction.atomic
def post_due(*, draft_id: int) -> Question | None:
    """Post one question whose time has come, under all rules of that day; refused, it stays a draft with the reason.

    Its member is told either way. Somebody else at the same draft is left alone.
    """
    rows = Draft.objects.select_for_update(skip_locked=True, of=("self",)).select_related("member__specialty")
    draft = rows.filter(pk=draft_id, publish_at__lte=timezone.now(), refused="").first()
    if draft is None:
        return None
    try:
        with transaction.atomic():
            question = _post(draft)
    except RuleBroken as refusal:
        draft.refused = str(refusal)[:200]
        draft.save(update_fields=["refused"])
        _tell(draft.member_id, target=draft.pk, about=f"draft:{draft.pk}", key=f"refused:{draft.pk}")
        return None
    opening = question.posts.get(kind=Post.Kind.OPENING)
    _tell(draft.member_id, target=opening.pk, about=f"question:{question.pk}", key=f"posted:{opening.pk}")
    return question


@transaction.atomic
def post_now(*, draft: Draft) -> Question:
    """Post a waiting question before its time, or one that was refused. Raises NotWaiting, and what posting raises."""
    rows = Draft.objects.select_for_update(of=("self",)).select_related("member__specialty")
    waiting = rows.filter(pk=draft.pk, publish_at__isnull=False).first()
    if waiting is None:
        raise NotWaiting
    return _post(waiting)


@transaction.atomic
def write_on(*, draft: Draft) -> None:
    """Take a waiting question back into the ask form. Raises NotWaiting, AnotherInWriting."""
    waiting = Draft.objects.select_for_update().filter(pk=draft.pk, publish_at__isnull=False).first()
    if waiting is None:
        raise NotWaiting
    if Draft.objects.filter(member=waiting.member_id, place="ask").exists():
        raise AnotherInWriting
    waiting.place, waiting.publish_at, waiting.refused = "ask", None, ""
    waiting.saved_at = timezone.now()
    waiting.save(update_fields=["place", "publish_at", "refused", "saved_at"])


def _post(draft: Draft) -> Question:
    """Ask as the draft says. The draft goes with it. Raises what `writing.open_question` raises."""
    member, fields = draft.member, draft.fields
    if not member.may_write:
        raise writing.ReadOnly
    chosen = fields.get("specialties", [])
    known = Specialty.objects.filter(is_choice=True).in_bulk(chosen)
    specialties = [known[code] for code in chosen if code in known]
    if not specialties:
        raise NoSpecialtyLeft
    return writing.open_question(
        asker=member,
        kind=fields["kind"],
        title=fields["title"],
        source=fields["source"],
        specialties=specialties,
        tags=[name.strip() for name in fields.get("tags", "").split(",") if name.strip()],
        audience=fields["audience"],
        peers_only=bool(fields.get("peers_only")),
        urgency=fields["urgency"],
        byline=fields.get("byline"),
        byline_confirmed=bool(fields.get("byline_confirmed")),
        put_to_colleagues=bool(fields.get("put_to_colleagues")),
        submission=uuid.UUID(draft.place.partition(":")[2]),
        draft_place=draft.place,
    )


def _tell(member_id: int, *, target: int, about: str, key: str) -> None:
    notices.tell(members=[member_id], kind=Kind.FOLLOW_UP, target=target, about=about, key=key)
