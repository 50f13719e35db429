"""What handles show, kept within the small-cell guard: when a member changes something, and every night."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Case, CharField, Count, Q, Value, When

from accounts import faces, guard
from accounts.models import Member, Specialty
from accounts.places import REGION_OF

BATCH = 500


@dataclass(frozen=True)
class Recheck:
    """What a round over all members did."""

    checked: int = 0
    coarsened: int = 0
    refined: int = 0

    def __add__(self, other: "Recheck") -> "Recheck":
        return Recheck(
            self.checked + other.checked, self.coarsened + other.coarsened, self.refined + other.refined
        )


def refresh(member: Member) -> guard.Combination:
    """Compute and save what one member's handle shows; to be called with the member's row locked.

    One query for the count. A member who is not verified, or has left, shows the specialty group alone.
    """
    shown = combination_for(member) if _counts(member) else guard.Combination()
    face = shown.as_face() if _counts(member) else {}
    if face != member.face:
        member.face = face
        member.save(update_fields=["face"])
    return shown


def combination_for(member: Member) -> guard.Combination:
    """What the handle of this member, saved or not, would show among the verified members. Changes nothing."""
    wanted = wanted_attributes(member)
    return guard.coarsen(wanted, _crowd_around(member, wanted), settings.SMALL_CELL)


def crowd_of(group: str) -> guard.Crowd:
    """Everybody verified in a specialty group, by one query."""
    tally = _members_of(group).values_list(
        "specialty__name", "subspecialty__name", "state", "years_band", "languages"
    )
    return guard.Crowd(
        (guard.Attributes(group, specialty or "", sub or "", state, years, tuple(spoken)), number)
        for specialty, sub, state, years, spoken, number in tally.annotate(number=Count("pk")).order_by()
    )


def recheck() -> Recheck:
    """Bring every face up to what its member chose and the crowd allows, group by group.

    Each batch is a transaction that locks its members, so a profile saved meanwhile is not undone. Safe to repeat.
    """
    groups = Specialty.objects.filter(is_physician=True).order_by("group").values_list("group", flat=True)
    done = _forget_faces()
    for group in [*groups.distinct(), ""]:
        done += _recheck_group(group)
    return done


def true_attributes(member: Member) -> guard.Attributes:
    """What is true of a member (with specialty and subspecialty loaded)."""
    return guard.Attributes(
        group=_group(member),
        specialty=member.specialty.name if member.specialty else "",
        subspecialty=member.subspecialty.name if member.subspecialty else "",
        state=member.state,
        years=member.years_band,
        languages=tuple(member.languages),
    )


def wanted_attributes(member: Member) -> guard.Attributes:
    """What a member wants any verified member to see: the specialty, and the fields opened to physicians."""
    true = true_attributes(member)
    chosen = {
        name: faces.visibility_of(member, name) == Member.Audience.PHYSICIANS for name in faces.GUARDED_FIELDS
    }
    return guard.Attributes(
        group=true.group,
        specialty=true.specialty,
        subspecialty=true.subspecialty if chosen["subspecialty"] else "",
        state=true.state if chosen["state"] else "",
        years=true.years if chosen["years_band"] else "",
        languages=true.languages if chosen["languages"] else (),
    )


def why_coarser(member: Member, shown: guard.Combination) -> str:
    """Tell a member what colleagues see in place of what was chosen, and why; empty if they see all of it."""
    wanted = guard.as_wanted(wanted_attributes(member))
    if shown == wanted:
        return ""
    chosen, seen = faces.in_words(wanted.as_face()), faces.in_words(shown.as_face())
    parts = [part for part in (chosen.place, chosen.years, chosen.subspecialty, *chosen.languages) if part]
    together = f"share {_listed(parts)} in {chosen.specialty}" if parts else f"practice {chosen.specialty}"
    return f"Fewer than {settings.SMALL_CELL} members {together}, so colleagues see {_instead(chosen, seen)}."


def why_coarser_now(member: Member) -> str:
    """The same for the face a member has; empty for one who is not counted, or has not been yet."""
    if not _counts(member) or not member.face:
        return ""
    return why_coarser(member, guard.Combination.from_face(member.face, _group(member)))


def _instead(chosen: faces.Shown, seen: faces.Shown) -> str:
    """What is shown in place of what was chosen, then what has nothing in its place."""
    pairs = [
        (chosen.specialty, seen.specialty, "specialty"),
        (chosen.years, seen.years, "years"),
        (chosen.place, seen.place, "place"),
        (chosen.subspecialty, seen.subspecialty, "subspecialty"),
        (_listed(chosen.languages), _listed(seen.languages), "languages"),
    ]
    coarser = _listed([now for was, now, _ in pairs if now and now != was])
    gone = _listed([name for was, now, name in pairs if was and not now], "or")
    return ", but ".join(filter(None, [coarser, gone and f"no {gone}"])) if coarser else f"no {gone}"


def _listed(words: list[str], joint: str = "and") -> str:
    return f" {joint} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _group(member: Member) -> str:
    return member.specialty.group if member.specialty else ""


def _counts(member: Member) -> bool:
    return member.may_read and member.user_id is not None


def _members_of(group: str):
    rows = Member.objects.physicians().filter(user__isnull=False)
    return rows.filter(specialty__group=group) if group else rows.filter(specialty=None)


def _crowd_around(member: Member, wanted: guard.Attributes) -> guard.Crowd:
    """The crowd as far as it matters to what one member wants, the member counted as they are in memory.

    The database tells people apart by nothing else, so that a handful of rows comes back from a large group.
    """
    spoken = [_nearest("languages__contains", [code], code) for code in wanted.languages]
    seen = {
        "at_specialty": _nearest("specialty__name", wanted.specialty),
        "at_subspecialty": _nearest("subspecialty__name", wanted.subspecialty),
        "at_state": _nearest("state", wanted.state, steps=REGION_OF),
        "at_years": _nearest("years_band", wanted.years, steps=guard.HALVES),
        **{f"speaks_{place}": case for place, case in enumerate(spoken)},
    }
    group = _group(member)
    tally = _members_of(group).exclude(pk=member.pk).annotate(**seen).values_list(*seen)
    rows = [(true_attributes(member), 1)]
    for *facts, number in tally.annotate(number=Count("pk")).order_by():
        specialty, subspecialty, state, years, *languages = facts
        languages = tuple(filter(None, languages))
        rows.append((guard.Attributes(group, specialty, subspecialty, state, years, languages), number))
    return guard.Crowd(rows)


def _nearest(lookup: str, wanted, shown: str | None = None, steps: dict[str, str] | None = None) -> Case:
    """The wanted value where it is true; else another of the same coarser step where that is; else nothing."""
    cases = [When(**{lookup: wanted}, then=Value(shown or wanted))] if wanted else []
    if wanted and steps:
        others = [value for value, step in steps.items() if step == steps[wanted] and value != wanted]
        cases += [When(**{f"{lookup}__in": others}, then=Value(others[0]))] if others else []
    return Case(*cases, default=Value(""), output_field=CharField())


def _recheck_group(group: str) -> Recheck:
    crowd = crowd_of(group)
    done, after = Recheck(), 0
    while True:
        batch, after = _recheck_batch(group, crowd, after)
        if not batch.checked:
            return done
        done += batch


@transaction.atomic
def _recheck_batch(group: str, crowd: guard.Crowd, after: int) -> tuple[Recheck, int]:
    """The next members of a group after a key: what was done, and the last key."""
    rows = _members_of(group).filter(pk__gt=after).for_profile().order_by("pk")
    members = list(rows.select_for_update(no_key=True, of=("self",))[:BATCH])
    changed, coarsened, refined = [], 0, 0
    for member in members:
        shown = guard.coarsen(wanted_attributes(member), crowd, settings.SMALL_CELL)
        if shown.as_face() == member.face:
            continue
        was, now = guard.Combination.from_face(member.face, group).detail(group), shown.detail(group)
        coarsened, refined = coarsened + (now < was), refined + (now > was)
        member.face = shown.as_face()
        changed.append(member)
    Member.objects.bulk_update(changed, ["face"])
    return Recheck(len(members), coarsened, refined), members[-1].pk if members else after


def _forget_faces() -> Recheck:
    """Whoever is not counted any more shows the specialty group alone."""
    counted = Q(standing__in=[Member.Standing.PHYSICIAN, Member.Standing.READ_ONLY], user__isnull=False)
    return Recheck(coarsened=Member.objects.exclude(counted).exclude(face={}).update(face={}))
