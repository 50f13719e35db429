"""Under which name a member speaks in a discussion."""

from accounts import faces
from accounts.models import Member
from accounts.services.profiles import is_more_private
from questions.models import Byline, Question
from sermo.errors import RuleBroken

Mode = Member.BylineMode


class LessPrivateByline(RuleBroken):
    message = "This shows more of you than your profile does. Confirm it, or choose a more private byline."


class NoPublicName(RuleBroken):
    message = "Your real name can be shown once your profile is public."


class NoPartialByline(RuleBroken):
    message = "While your profile shows your real name, your handle shows no region and no years."


class AccountClosed(RuleBroken):
    message = "This account has been closed."


class NameAmongConnections(RuleBroken):
    message = "Connections know you by your handle; your name here would show them whose handle it is."


class NameAmongInvited(NameAmongConnections):
    message = "Who is named here is known by handle; your name would show whose handle it is."


def choices_for(member: Member, *, among_few: bool = False) -> list[tuple[str, str]]:
    """The bylines a member may sign with: (mode, how it will read). Among few readers no name is one of them.

    Whoever shows a name signs with the bare handle beside it, see `mask_earlier`.
    """
    shown = faces.shown_to_physicians(member)
    specialty = shown.specialty or "no specialty shown"
    choices = [(Mode.ANONYMOUS.value, f"{member.handle}, {specialty}")]
    has_details = shown.byline_details or member.byline_mode == Mode.PARTIAL
    if has_details and member.byline_mode != Mode.PUBLIC:
        choices.append((Mode.PARTIAL.value, ", ".join([member.handle, specialty, *shown.byline_details])))
    if member.byline_mode == Mode.PUBLIC and not among_few:
        verified = member.specialty.name if member.specialty else "no specialty shown"
        choices.append((Mode.PUBLIC.value, f"{member.display_name}, {verified}"))
    return choices


def sign(*, question: Question, member: Member, mode: str | None = None, confirmed: bool = False) -> Byline:
    """The member's byline in a discussion: the one fixed by an earlier post there, else a new one.

    The member's profile is locked: going private at the same moment is either seen here or masks this byline.
    In a discussion among few nobody signs with a name: its few readers know who may read there, by handle.
    Raises LessPrivateByline unless a byline that shows more than the profile was confirmed, NoPublicName,
    NoPartialByline, NameAmongConnections (with NameAmongInvited), AccountClosed.
    """
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.user_id is None:
        raise AccountClosed  # left while this was on its way
    existing = Byline.objects.filter(question=question, member=member).first()
    if existing:
        return existing
    mode = check(member=member, mode=mode, audience=question.audience, confirmed=confirmed)
    byline, _ = Byline.objects.get_or_create(question=question, member=member, defaults={"mode": mode})
    return byline


def check(*, member: Member, mode: str | None, audience: str, confirmed: bool) -> Mode:
    """With which mode a member would sign a new byline. Raises the refusals of `sign` that are of the choice."""
    mode = Mode(mode or member.byline_mode)
    if mode == Mode.PUBLIC and member.byline_mode != Mode.PUBLIC:
        raise NoPublicName
    if mode == Mode.PARTIAL and member.byline_mode == Mode.PUBLIC:
        raise NoPartialByline
    if mode == Mode.PUBLIC and audience in Question.AMONG_FEW:
        is_invited = audience == Question.Audience.INVITED
        raise NameAmongInvited if is_invited else NameAmongConnections
    if is_more_private(member.byline_mode, than=mode) and not confirmed:
        raise LessPrivateByline
    return mode


def mask_earlier(*, member: Member, was: str) -> int:
    """Make earlier bylines at least as private as the member's profile; never less. Returns how many changed.

    A name becomes nothing at all: put the handle in its place, and whoever remembers the name knows the handle.
    One step changes what stands under one face alone: two that changed at one moment would be known for one person.
    So the handle shows less from the moment the name is shown, and going back has only the name to mask.
    """
    earlier = Byline.objects.filter(member=member)
    if was == Mode.PUBLIC:
        return earlier.filter(mode=Byline.Mode.PUBLIC).update(mode=Byline.Mode.MASKED)
    if member.byline_mode == Mode.PARTIAL:
        return 0
    return earlier.filter(mode=Byline.Mode.PARTIAL).update(mode=Byline.Mode.ANONYMOUS)
