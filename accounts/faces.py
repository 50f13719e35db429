"""What others see of a member, under the handle and under the real name.

Each field of a profile belongs to one of the two faces and stands on that face alone: a school on the page of a
handle, or a state on the page of a name, would tell whose handle and whose name belong together.
"""

from dataclasses import dataclass, field

from accounts import languages
from accounts.models import Member
from accounts.places import REGION_OF, STATES

Audience = Member.Audience

HANDLE_FIELDS = ("subspecialty", "state", "years_band", "languages", "bio", "contact_for")
LISTED_ELSEWHERE = ("interests",)  # beside the handle too: the topics followed, which a higher app keeps
NAME_FIELDS = ("school", "training", "publications")
GUARDED_FIELDS = ("subspecialty", "state", "years_band", "languages")  # what the small-cell guard counts
SHOWN_UNLESS_HIDDEN = ("bio", "contact_for")  # the member wrote them for others to read

STATE_NAMES = dict(STATES)
YEARS = {**dict(Member.YearsBand.choices), "0-10": "0 to 10 years", "11+": "11 years and more"}
CONTACT_FOR = dict(Member.ContactFor.choices)
PUBMED = "https://pubmed.ncbi.nlm.nih.gov/{}/"


@dataclass(frozen=True)
class Shown:
    """The facts beside a handle, in words."""

    specialty: str = ""
    subspecialty: str = ""
    place: str = ""  # a state or a region
    years: str = ""
    languages: list[str] = field(default_factory=list)
    region: str = ""  # all that a byline says of the place

    @property
    def byline_details(self) -> list[str]:
        """What a partial byline adds to handle and specialty: the region, never the state, and the years."""
        return [detail for detail in (self.region, self.years) if detail]


@dataclass(frozen=True)
class Fact:
    """One line of a profile; `level` is said to its owner alone."""

    label: str
    text: str
    level: str = ""


@dataclass(frozen=True)
class Profile:
    """What one audience sees on the page of a handle."""

    specialty: str
    facts: list[Fact]
    bio: str = ""
    contact_for: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class NamedProfile:
    """What one audience sees beside a real name. `publications` are pairs of PMID and address."""

    specialty: str
    facts: list[Fact]
    publications: list[tuple[str, str]] = field(default_factory=list)


def visibility_of(member: Member, name: str) -> str:
    """Who sees a field, as the member chose, else as it is for everybody who has not chosen."""
    default = Audience.PHYSICIANS if name in SHOWN_UNLESS_HIDDEN else Audience.ME
    return member.visibility.get(name, default.value)


def is_open_to(member: Member, name: str, audience: str) -> bool:
    """Whether a member lets an audience see a field. Connections see what physicians see."""
    level = visibility_of(member, name)
    if audience == Audience.ME:
        return True
    return level == Audience.PHYSICIANS or (audience == Audience.CONNECTIONS and level == audience)


def shown_to_physicians(member: Member) -> Shown:
    """What any verified member may know of a handle, after the guard. No query where the specialty is loaded.

    A member whose face has not been computed shows the specialty group and nothing else.
    """
    group = member.specialty.group if member.specialty else ""
    return in_words({"specialty": group, **member.face})


def shows_specialty(member: Member) -> bool:
    """Whether the handle shows the exact specialty, which the guard may withhold."""
    return shown_to_physicians(member).specialty == (member.specialty.name if member.specialty else "")


def in_words(face: dict) -> Shown:
    region = face.get("region", "")
    return Shown(
        specialty=face.get("specialty", ""),
        subspecialty=face.get("subspecialty", ""),
        place=STATE_NAMES.get(face.get("state"), region),
        years=YEARS.get(face.get("years"), ""),
        languages=languages.names(face.get("languages", [])),
        region=region,
    )


def facts_for(member: Member, audience: str) -> Profile:
    """The page of a handle as an audience sees it (with specialty and subspecialty loaded).

    Physicians get what the guard lets through. Connections get that too, and in its place the exact value of each
    field shown to connections alone: those the member accepted one by one. Oneself gets everything as it is.
    """
    shown = _with_exact(member, shown_to_physicians(member), audience)
    lines = {
        "subspecialty": ("Subspecialty", shown.subspecialty),
        "state": ("State" if shown.place in STATE_NAMES.values() else "Region", shown.place),
        "years_band": ("Years since graduation", shown.years),
        "languages": ("Languages besides English", ", ".join(shown.languages)),
    }
    own = audience == Audience.ME
    return Profile(
        specialty=member.specialty.name if own and member.specialty else shown.specialty,
        facts=[
            Fact(label, text, level_words(member, name) if own else "")
            for name, (label, text) in lines.items()
            if text
        ],
        bio=member.bio if is_open_to(member, "bio", audience) else "",
        contact_for=_contact_for(member) if is_open_to(member, "contact_for", audience) else [],
    )


def named_facts_for(member: Member, audience: str) -> NamedProfile:
    """What stands beside the real name: for physicians on its page, for connections where names are exchanged.

    The page of a name always asks for physicians: if it showed a connection more, it would tell whose handle it is.
    """
    lines = {"school": ("Medical school", member.school), "training": ("Training", member.training)}
    own = audience == Audience.ME
    return NamedProfile(
        specialty=member.specialty.name if member.specialty else "",
        facts=[
            Fact(label, text, level_words(member, name) if own else "")
            for name, (label, text) in lines.items()
            if text and is_open_to(member, name, audience)
        ],
        publications=[
            (number, PUBMED.format(number))
            for number in member.publications
            if is_open_to(member, "publications", audience)
        ],
    )


def level_words(member: Member, name: str) -> str:
    return Audience(visibility_of(member, name)).label


def _with_exact(member: Member, shown: Shown, audience: str) -> Shown:
    """Put the true value wherever an audience gets past the guard."""

    def exact(name: str) -> bool:
        level = visibility_of(member, name)
        return audience == Audience.ME or (audience == Audience.CONNECTIONS and level == Audience.CONNECTIONS)

    return Shown(
        specialty=shown.specialty,
        subspecialty=_name(member.subspecialty) if exact("subspecialty") else shown.subspecialty,
        place=STATE_NAMES.get(member.state, "") if exact("state") else shown.place,
        years=YEARS.get(member.years_band, "") if exact("years_band") else shown.years,
        languages=languages.names(member.languages) if exact("languages") else shown.languages,
        region=REGION_OF.get(member.state, "") if exact("state") else shown.region,
    )


def _name(specialty) -> str:
    return specialty.name if specialty else ""


def _contact_for(member: Member) -> list[str]:
    return [CONTACT_FOR[reason] for reason in member.contact_for if reason in CONTACT_FOR]
