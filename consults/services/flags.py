"""That a picture shows who the patient is: one member's word hides it, a moderator decides whether it was so."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Member, User
from consults.models import Case, Image, ImageFlag
from consults.services import incidents, telling, withdrawing
from consults.services.reviewing import OwnCase
from questions.models import ModerationAction, Post, Question, Reason, WriteCount
from questions.services import limits
from questions.services.moderation import acts, rights
from sermo.errors import RuleBroken
from verification.services import events

State = ImageFlag.State
ACTS = {"none": None, "warn": ModerationAction.Kind.WARN, "hold": ModerationAction.Kind.HOLD}


class MayNotFlag(RuleBroken):
    """The message says for how long."""

    def __init__(self):
        super().__init__(
            f"{settings.IMAGE_FLAGS_WRONG} pictures you flagged in {settings.IMAGE_FLAG_DAYS} days showed no patient, "
            "so your flag hides none for now. Report the case instead; a moderator looks at it."
        )


class TooManyOpen(RuleBroken):
    """The message says how many wait."""

    def __init__(self):
        super().__init__(
            f"{settings.IMAGE_FLAGS_OPEN} pictures you flagged wait for a moderator, so your flag hides no more until "
            "one is decided. Report the case instead; a moderator looks at it."
        )


class NoPictureAnyMore(RuleBroken):
    message = "This picture is not there any more."


class DecidedAlready(RuleBroken):
    message = "This has been decided already."


class OwnFlag(RuleBroken):
    message = "You flagged this picture. Another moderator decides."


class NotAnAct(RuleBroken):
    message = "Choose what its author is to hear."


# Flagging


@transaction.atomic
def flag_image(*, image: Image, member: Member, words: str = "") -> ImageFlag:
    """Hide a picture from everybody until a moderator has looked at it.

    A member's second flag, while the first is open, returns the first. Authors may flag their own. Raises
    NoPictureAnyMore, MayNotFlag, TooManyOpen, limits.TooManyToday.
    """
    events.lock_chain()
    case, image = _lock(image)
    if known := open_flag_of(image, member):
        return known
    if not image.is_masked:
        raise NoPictureAnyMore
    is_own = case.question.asker_id == member.pk
    if not is_own:
        _check_may_hide(member)
    limits.count_write(member, WriteCount.What.FLAG)
    flag = ImageFlag.objects.create(image=image, member=member, words=words.strip())
    if image.hidden_at is None:
        image.hidden_at = flag.flagged_at
        image.save(update_fields=["hidden_at"])
        events.record(kind="case_picture_hidden", reason=Reason.IDENTITY, object=f"image:{image.pk}")
        if not is_own:
            telling.of_flag(flag, case)
    return flag


def open_flag_of(image: Image, member: Member) -> ImageFlag | None:
    """What this member has flagged of a picture and nobody has decided yet."""
    return ImageFlag.objects.open().filter(image=image, member=member).first()


def _check_may_hide(member: Member) -> None:
    """Whether a member's flags were wrong of late, or hide too much already. Those of own pictures harm nobody.

    The caller holds the chain, so that flags sent at once count one after the other. Raises MayNotFlag, TooManyOpen.
    """
    of_others = ImageFlag.objects.filter(member=member).exclude(image__case__question__asker=F("member"))
    since = timezone.now() - timedelta(days=settings.IMAGE_FLAG_DAYS)
    if of_others.filter(state=State.WRONG, decided_at__gt=since).count() >= settings.IMAGE_FLAGS_WRONG:
        raise MayNotFlag
    if of_others.open().count() >= settings.IMAGE_FLAGS_OPEN:
        raise TooManyOpen


def _lock(image: Image) -> tuple[Case, Image]:
    """The case of a published picture and the picture itself, both locked. Raises NoPictureAnyMore."""
    if image.case_id is None:
        raise NoPictureAnyMore
    case = Case.objects.select_for_update(of=("self",)).select_related("question").get(pk=image.case_id)
    return case, Image.objects.select_for_update(of=("self",)).get(pk=image.pk)


# Deciding


@transaction.atomic
def decide(
    *,
    flag: ImageFlag,
    by: User,
    confirmed: bool,
    act: str = "none",
    days: int | None = None,
    words: str = "",
    whole_case: bool = False,
    address_hash: str = "",
) -> ImageFlag:
    """Say whether a picture shows who the patient is. All that is flagged of it is decided with this.

    Wrong: it is shown again. Confirmed: it is destroyed and an incident begins; with `whole_case` the case is
    withdrawn with all its pictures; by `act` ("none", "warn", "hold" for `days`) its author is warned or held, with
    `words` or the standard ones. Raises rights.NotAModerator, rights.TakesPart, OwnCase, OwnFlag, DecidedAlready,
    NotAnAct, and of acts DaysMissing, HasLeft, desk.ClaimedByAnother.
    """
    if act not in ACTS:
        raise NotAnAct
    rights.check_moderator(by)
    events.lock_chain()
    question = Question.objects.select_for_update().filter(pk=flag.image.case_id).first()
    case, image = _lock(flag.image)
    opened = list(ImageFlag.objects.select_for_update(of=("self",)).open().filter(image=image).order_by("pk"))
    flag = next((one for one in opened if one.pk == flag.pk), None)
    if flag is None:
        raise DecidedAlready
    _check_may_decide(by, question, opened)
    _mark(opened, by, State.CONFIRMED if confirmed else State.WRONG)
    if confirmed:
        incidents.begin(image=image, case=case, found_at=min(one.flagged_at for one in opened))
        _destroy(case, image, whole_case=whole_case)
    elif image.hidden_at:
        image.hidden_at = None
        image.save(update_fields=["hidden_at"])
    events.record(
        kind="moderation_image_flag",
        by=by,
        to_state=flag.state,
        reason=Reason.IDENTITY,
        object=f"image:{image.pk}",
        address_hash=address_hash,
    )
    _tell(flag, opened, case)
    if confirmed and ACTS[act]:
        _act_on_author(question, by, act, days, words, address_hash)
    return flag


def _check_may_decide(by: User, question: Question, opened: list[ImageFlag]) -> None:
    if by.as_member is None:
        return
    if question.asker_id == by.as_member.pk:
        raise OwnCase
    if any(one.member_id == by.as_member.pk for one in opened):
        raise OwnFlag
    rights.check_no_part(by, question.pk)


def _mark(opened: list[ImageFlag], by: User, state: str) -> None:
    """What members said of the patient is needed no longer than until somebody has looked."""
    now = timezone.now()
    for one in opened:
        one.state, one.decided_at, one.decided_by, one.words = state, now, by, ""
    ImageFlag.objects.bulk_update(opened, ["state", "decided_at", "decided_by", "words"])


def _destroy(case: Case, image: Image, *, whole_case: bool) -> None:
    if not image.is_shredded:
        withdrawing.shred(image=image, why=Image.Shredded.IDENTITY)
    if whole_case and not case.is_withdrawn:
        withdrawing.withdraw(case=case, why=Case.Withdrawn.IDENTITY)


def _tell(flag: ImageFlag, opened: list[ImageFlag], case: Case) -> None:
    """The author and those who flagged, in the order of members in which notices are locked everywhere."""
    author = case.question.asker_id
    to_tell = {one.member_id: one for one in opened if one.member_id != author}
    for member in sorted({author, *to_tell}):
        if member == author:
            telling.of_decision(flag, case)
        else:
            telling.of_own_flag(to_tell[member], case)


def _act_on_author(
    question: Question, by: User, act: str, days: int | None, words: str, address_hash: str
) -> None:
    acts.act(
        post=question.posts.get(kind=Post.Kind.OPENING),
        by=by,
        kind=ACTS[act],
        reason=Reason.IDENTITY,
        statement=words,
        days=days,
        address_hash=address_hash,
    )
