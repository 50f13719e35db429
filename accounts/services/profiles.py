"""What a member shows of themselves: the profile, who sees each field of it, and the byline."""

import copy
import re

from django.db import transaction

from accounts import faces
from accounts.languages import LANGUAGES, MOST_LANGUAGES
from accounts.models import Member, Specialty
from accounts.services import guard
from accounts.signals import byline_mode_changed
from sermo.errors import RuleBroken

Mode = Member.BylineMode
PRIVACY = {Mode.PUBLIC: 0, Mode.PARTIAL: 1, Mode.ANONYMOUS: 2}
FIELDS = (*faces.HANDLE_FIELDS, *faces.NAME_FIELDS)
LEVELED = (*FIELDS, *faces.LISTED_ELSEWHERE)  # all that the member says who sees
MOST_PUBLICATIONS = 20
PMID = re.compile(r"[1-9][0-9]{0,7}")


class NotVerified(RuleBroken):
    message = "Your real name can be shown once your license is verified."


class UnknownVisibility(RuleBroken):
    message = "Each field of a profile is shown to you only, to connections, or to physicians."


class OtherSpecialty(RuleBroken):
    message = "A subspecialty belongs to the same group as your specialty, and is another than it."


class UnknownLanguage(RuleBroken):
    message = f"Choose up to {MOST_LANGUAGES} languages of the list."


class NotAPublication(RuleBroken):
    message = f"A PMID has 1 to 8 digits. Give up to {MOST_PUBLICATIONS}, each once."


@transaction.atomic
def change_profile(*, member: Member, visibility: dict[str, str] | None = None, **facts) -> Member:
    """Save the facts a member chose to give, and who sees them; what is not named stays as it is.

    The specialty of a verified physician is verification's to change. What the handle shows is computed anew. Raises
    UnknownVisibility, OtherSpecialty, UnknownLanguage, NotAPublication.
    """
    member = Member.objects.for_profile().select_for_update(of=("self",)).get(pk=member.pk)
    put(member, visibility=visibility, **facts)
    member.save(update_fields=["specialty", "visibility", *FIELDS])
    guard.refresh(member)
    return member


def rehearse(*, member: Member, **facts) -> tuple[Member, str]:
    """The member as `change_profile` would leave them, not to be saved, and why colleagues would see less than chosen.

    An applicant is shown as once verified. Raises what `change_profile` raises.
    """
    rehearsed = copy.copy(member)
    put(rehearsed, **facts)
    shown = guard.combination_for(rehearsed)
    rehearsed.face = shown.as_face()
    return rehearsed, guard.why_coarser(rehearsed, shown)


def put(member: Member, *, visibility: dict[str, str] | None = None, **facts) -> None:
    """Set the facts on a member without saving, under the rules of `change_profile`."""
    if "specialty" in facts:
        specialty = facts.pop("specialty")
        if member.is_applicant:
            member.specialty = specialty
    if unknown := facts.keys() - set(FIELDS):
        raise TypeError(f"no fields of a profile: {', '.join(sorted(unknown))}")
    for name, value in facts.items():
        setattr(member, name, value)
    member.visibility = {**member.visibility, **check_visibility(visibility or {})}
    check_subspecialty(member.specialty, member.subspecialty)
    member.languages = check_languages(member.languages)
    member.publications = check_publications(member.publications)


def check_visibility(visibility: dict[str, str]) -> dict[str, str]:
    """Return it if it names fields of a profile and audiences alone. Raises UnknownVisibility."""
    if set(visibility) - set(LEVELED) or set(visibility.values()) - set(Member.Audience.values):
        raise UnknownVisibility
    return {name: str(level) for name, level in visibility.items()}


def subspecialties_of(specialty: Specialty | None):
    """The specialties a member of this one may choose as subspecialty."""
    if specialty is None:
        return Specialty.objects.none()
    rows = Specialty.objects.filter(group=specialty.group, is_physician=True)
    return rows.exclude(name__in=[specialty.name, specialty.group])


def check_subspecialty(specialty: Specialty | None, subspecialty: Specialty | None) -> None:
    """Raises OtherSpecialty unless one may be the subspecialty of the other."""
    if subspecialty is None:
        return
    of_same_group = specialty is not None and subspecialty.group == specialty.group
    if (
        not of_same_group
        or not subspecialty.is_physician
        or subspecialty.name in (specialty.name, specialty.group)
    ):
        raise OtherSpecialty


def check_languages(codes) -> list[str]:
    """Return the codes, each once. Raises UnknownLanguage for others than the listed, or too many."""
    once = list(dict.fromkeys(codes))
    if len(once) > MOST_LANGUAGES or set(once) - set(LANGUAGES):
        raise UnknownLanguage
    return once


def check_publications(numbers) -> list[str]:
    """Return the PMIDs, each once. Raises NotAPublication for others than 1 to 8 digits, or too many."""
    once = list(dict.fromkeys(numbers))
    for number in once:
        if not PMID.fullmatch(number):
            raise NotAPublication(
                f"“{number[:20]}” is not a PMID: those have 1 to 8 digits, such as 31452104."
            )
    if len(once) > MOST_PUBLICATIONS:
        raise NotAPublication(f"At most {MOST_PUBLICATIONS} publications; there are {len(once)}.")
    return once


@transaction.atomic
def choose_byline(*, member: Member, mode: str, display_name: str = "") -> Member:
    """Set how a member's next posts are signed; more privacy also covers the posts already written.

    The step to public covers what stands under the handle, so that the step back has the name alone to cover.

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
