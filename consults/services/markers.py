"""Numbered points on the pictures of a case, and the replies that name them."""

import re

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Member, User
from accounts.roles import is_moderator
from consults.models import Case, Image, Marker
from questions.models import Post, WriteCount
from questions.services import bylines, limits, writing
from questions.services.moderation import rights
from sermo.errors import RuleBroken
from sermo.identifiers import STOP, check
from verification.services import events

MOST_MARKS = 99  # of one case, those removed among them: a number always means the same mark
NAMED = re.compile(r"\(\s*mark\s+(\d{1,2})\s*\)", re.IGNORECASE)


class PictureGone(RuleBroken):
    message = "This image is not shown any more."


class TooManyMarks(RuleBroken):
    message = "This case has had 99 marks, and takes no more. Describe the place in your answer."


class MarkIdentifies(RuleBroken):
    """The message says which words must go."""


class NotYourMark(RuleBroken):
    message = "Only who set a mark, or a moderator, can remove it."


@transaction.atomic
def add_marker(
    *, image: Image, member: Member, left: int, top: int, label: str, byline: str | None = None
) -> Marker:
    """Set the next mark of a case. Counts as a comment.

    Raises writing.NotOpen, circles.NotAccepted, PictureGone, TooManyMarks, MarkIdentifies, the refusals of
    `bylines.sign` and `limits`.
    """
    question = writing.lock_open(image.case.question, by=member)
    case = Case.objects.select_for_update().get(pk=image.case_id)
    image = Image.objects.select_for_update().get(pk=image.pk)
    if not Image.objects.visible_to(member.user).filter(pk=image.pk).exists():
        raise PictureGone
    _check_words(label)
    limits.count_write(member, WriteCount.What.COMMENT)
    number = (case.markers.aggregate(last=Max("number"))["last"] or 0) + 1
    if number > MOST_MARKS:
        raise TooManyMarks
    return Marker.objects.create(
        case=case,
        image=image,
        number=number,
        left=left,
        top=top,
        label=label,
        member=member,
        byline=bylines.sign(question=question, member=member, mode=byline),
    )


def _check_words(label: str) -> None:
    stops = [finding.words for finding in check(label) if finding.level == STOP]
    if stops:
        said = ", ".join(f"“{words}”" for words in stops)
        raise MarkIdentifies(f"Leave out {said}: it may identify somebody.")


@transaction.atomic
def remove_marker(*, marker: Marker, by: Member | None = None, user: User | None = None) -> Marker:
    """Take a mark off its picture: one's own, or as a moderator (`user`). Twice is as good as once. Its words go.

    Raises NotYourMark, and rights.TakesPart where a moderator takes part in the case.
    """
    is_own = by is not None and marker.member_id == by.pk
    if not is_own:
        _check_may_moderate(marker, user)
        events.lock_chain()
    marker = Marker.objects.select_for_update().get(pk=marker.pk)
    if marker.removed_at is None:
        marker.removed_at, marker.label = timezone.now(), ""
        marker.save(update_fields=["removed_at", "label"])
        if not is_own:
            events.record(kind="moderation_case_mark", by=user, object=f"marker:{marker.pk}")
    return marker


def _check_may_moderate(marker: Marker, user: User | None) -> None:
    if user is None or not is_moderator(user):
        raise NotYourMark
    rights.check_no_part(user, marker.case_id)


@transaction.atomic
def tie_to(post: Post) -> int:
    """Let a reply have the marks of its author that it names as "(mark 2)" and no other has; return how many."""
    numbers = {int(number) for number in NAMED.findall(post.source)}
    if not numbers:
        return 0
    own = Marker.objects.filter(
        case=post.question_id, member=post.author_id, number__in=numbers, post=None, removed_at=None
    )
    found = list(own.select_for_update(skip_locked=True).values_list("pk", flat=True))
    return Marker.objects.filter(pk__in=found).update(post=post)
