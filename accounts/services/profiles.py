"""What a member shows of themselves: the profile and the byline."""

from django.db import transaction

from accounts.models import Member, Specialty
from accounts.signals import byline_mode_changed
from sermo.errors import RuleBroken

Mode = Member.BylineMode
PRIVACY = {Mode.PUBLIC: 0, Mode.PARTIAL: 1, Mode.ANONYMOUS: 2}


class NotVerified(RuleBroken):
    message = "Your real name can be shown once your license is verified."


@transaction.atomic
def change_profile(
    *, member: Member, specialty: Specialty | None, state: str, years_band: str, bio: str
) -> Member:
    """Save the facts a member chose to give. The specialty of a verified physician is verification's to change."""
    member = Member.objects.select_for_update().get(pk=member.pk)
    if member.is_applicant:
        member.specialty = specialty
    member.state, member.years_band, member.bio = state, years_band, bio
    member.save(update_fields=["specialty", "state", "years_band", "bio"])
    return member


@transaction.atomic
def choose_byline(*, member: Member, mode: str, display_name: str = "") -> Member:
    """Set how a member's next posts are signed; more privacy also covers the posts already written.

    `display_name` comes from verification, which checked it, and is kept only while the mode is public.
    Raises NotVerified when public is chosen without one.
    """
    member = Member.objects.select_for_update().get(pk=member.pk)
    was, mode = Mode(member.byline_mode), Mode(mode)
    if mode == Mode.PUBLIC and not display_name:
        raise NotVerified
    member.byline_mode = mode
    member.display_name = display_name if mode == Mode.PUBLIC else ""
    member.save(update_fields=["byline_mode", "display_name"])
    if mode != was:
        byline_mode_changed.send(sender=Member, member=member, was=was)
    return member


def is_more_private(mode: str, than: str) -> bool:
    return PRIVACY[Mode(mode)] > PRIVACY[Mode(than)]
