"""Posting a question later than it was written: waiting keeps an event in the news from pointing to a patient."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Kind, Member, Specialty
from accounts.services import notices
from questions.models import Draft, Post, Question
from questions.services import bylines, tags, writing
from questions.services.limits import Held, TooManyToday
from sermo.errors import RuleBroken

NOT_POSTED = "It could not be posted. Open it and post it yourself."


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

    The same submission twice is one. Raises TooManyWaiting, and already now what `open_question` would raise of the
    audience, the byline and the tags.
    """
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)  # two at once count one after the other
    place = f"later:{submission}"
    waiting = member.drafts.filter(publish_at__isnull=False).exclude(place=place)
    if waiting.count() >= settings.MOST_LATER:
        raise TooManyWaiting
    _check(member, fields)
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


def _check(member: Member, fields: dict[str, object]) -> None:
    byline, audience = fields.get("byline") or member.byline_mode, fields["audience"]
    writing.check_audience(member, audience, _specialties(fields), byline)
    bylines.check(
        member=member, mode=byline, audience=audience, confirmed=bool(fields.get("byline_confirmed"))
    )
    tags.new_names(_tags(fields), member=member)


def due() -> list[int]:
    rows = Draft.objects.filter(publish_at__lte=timezone.now(), refused="")
    return list(rows.order_by("publish_at", "pk").values_list("pk", flat=True))


@transaction.atomic
def post_due(*, draft_id: int) -> Question | None:
    """Post one question whose time has come, under all rules of that day; refused, it stays a draft with the reason.

    Its member is told either way. Whoever may not write on that day alone is tried again on the next. Somebody else
    at the same draft is left alone.
    """
    draft = _lock_due(draft_id)
    if draft is None:
        return None
    try:
        with transaction.atomic():
            question = _post(draft)
    except (Held, TooManyToday):
        draft.publish_at = timezone.now() + timedelta(days=1)
        draft.save(update_fields=["publish_at"])
        return None
    except RuleBroken as refusal:
        _refuse(draft, str(refusal))
        return None
    opening = question.posts.get(kind=Post.Kind.OPENING)
    notices.tell(
        members=[draft.member_id],
        kind=Kind.FOLLOW_UP,
        target=opening.pk,
        about=f"question:{question.pk}",
        key=f"posted:{opening.pk}",
    )
    return question


@transaction.atomic
def give_up(*, draft_id: int) -> None:
    """Mark a due question that could not be posted for a fault of the site, so that it does not fail every time."""
    if draft := _lock_due(draft_id):
        _refuse(draft, NOT_POSTED)


def _lock_due(draft_id: int) -> Draft | None:
    rows = Draft.objects.select_for_update(skip_locked=True, of=("self",)).select_related("member__specialty")
    return rows.filter(pk=draft_id, publish_at__lte=timezone.now(), refused="").first()


def _refuse(draft: Draft, reason: str) -> None:
    """Note why it was not posted, and tell its member each time, by a kind they did not switch off."""
    draft.refused = reason[:200]
    draft.save(update_fields=["refused"])
    key = f"refused:{draft.pk}:{timezone.now():%Y%m%d%H%M%S}"
    kinds = {kind: [draft.member_id] for kind in (Kind.REPLY, Kind.FOLLOW_UP)}
    notices.tell_first(kinds=kinds, deed=notices.Deed(draft.pk, f"draft:{draft.pk}", key))


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
    if _is_in_writing(waiting.member_id):
        raise AnotherInWriting
    waiting.place, waiting.publish_at, waiting.refused = "ask", None, ""
    waiting.saved_at = timezone.now()
    try:
        with transaction.atomic():
            waiting.save(update_fields=["place", "publish_at", "refused", "saved_at"])
    except IntegrityError:  # the ask form saved a draft of its own in between
        raise AnotherInWriting from None


def _is_in_writing(member_id: int) -> bool:
    return Draft.objects.filter(member=member_id, place="ask").exists()


def _post(draft: Draft) -> Question:
    """Ask as the draft says. The draft goes with it. Raises what `writing.open_question` raises."""
    member, fields = draft.member, draft.fields
    if not member.may_write:
        raise writing.ReadOnly
    specialties = _specialties(fields)
    if not specialties:
        raise NoSpecialtyLeft
    question = writing.open_question(
        asker=member,
        kind=fields["kind"],
        title=fields["title"],
        source=fields["source"],
        specialties=specialties,
        tags=_tags(fields),
        audience=fields["audience"],
        peers_only=bool(fields.get("peers_only")),
        urgency=fields["urgency"],
        byline=fields.get("byline"),
        byline_confirmed=bool(fields.get("byline_confirmed")),
        put_to_colleagues=bool(fields.get("put_to_colleagues")),
        submission=uuid.UUID(draft.place.partition(":")[2]),
        draft_place=draft.place,
    )
    writing.forget_draft(member=member, place=draft.place)  # also when the same submission was posted before
    return question


def _specialties(fields: dict[str, object]) -> list[Specialty]:
    chosen = fields.get("specialties", [])
    known = Specialty.objects.filter(is_choice=True).in_bulk(chosen)
    return [known[code] for code in chosen if code in known]


def _tags(fields: dict[str, object]) -> list[str]:
    return [name.strip() for name in fields.get("tags", "").split(",") if name.strip()]
