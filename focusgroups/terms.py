"""What a member is told of a room before they say yes: all they would want to know, and nothing they learn later."""

from dataclasses import dataclass
from datetime import date, tzinfo

from accounts.notice_forms import clock_of
from focusgroups.agenda import When
from focusgroups.models import Agreement, LiveHour, Participant, Room, Section, Sponsor
from focusgroups.services import screening

WATCHED = {
    Room.Watching.NOBODY: "Nobody but participants and moderators reads along.",
    Room.Watching.FIGURES: (
        "People of the firm that pays see how many answered what while the group runs. They read no word of it, and "
        "they cannot write here."
    ),
    Room.Watching.WORDS: (
        "People of the firm that pays read answers, replies and live hours while the group runs, each with its alias "
        "and quota cell, and the firm may get the same as a transcript. They never read answers that are private, nor "
        "notes to the moderators, and they cannot write here."
    ),
}
UNPAID = "No firm pays for it."


def watched(room: Room, sponsor: Sponsor | None) -> str:
    """Who reads along, in a sentence: nobody can where no firm pays, whatever was chosen for watchers."""
    return WATCHED[room.watching if sponsor else Room.Watching.NOBODY]


@dataclass(frozen=True)
class Part:
    """One section as it is announced."""

    number: int
    title: str
    opens: When | None
    cents: int


@dataclass(frozen=True)
class Terms:
    room: Room
    starts: When
    ends: When
    parts: list[Part]
    cents: int  # of all sections
    seats_taken: int
    questions: int  # of the screener
    thanks_left: int  # for how many more who are not sought after more than three of them
    agreement: Agreement
    sponsor: Sponsor | None
    live_hours: list[tuple[LiveHour, When]]

    @property
    def who_pays(self) -> str:
        """A blinded sponsor is a kind of firm until the end."""
        if self.sponsor is None:
            return UNPAID
        if self.is_blinded:
            return f"{self.sponsor.shown}."
        return f"{self.sponsor.shown} ({self.sponsor.get_kind_display().lower()})."

    @property
    def is_blinded(self) -> bool:
        return self.sponsor is not None and self.sponsor.is_still_blinded

    @property
    def who_watches(self) -> str:
        return watched(self.room, self.sponsor)

    @property
    def has_other_clock(self) -> bool:
        """Whether the reader's clock shows another time than the group's, on its first day or its last."""
        return bool(self.starts.there or self.ends.there)

    @property
    def clock(self) -> str:
        return clock_of(self.room.time_zone)

    @property
    def seats_free(self) -> int:
        return max(self.room.seats - self.seats_taken, 0)

    @property
    def is_even(self) -> bool:
        """Whether each section pays the same."""
        return len({part.cents for part in self.parts}) == 1

    @property
    def pay_on(self) -> date | None:
        return self.room.pay_on


def terms_of(room: Room, zone: tzinfo) -> Terms:
    """As they stand now, on a member's own clock. `room.sponsor` is loaded. A few queries."""
    sponsor = getattr(room, "sponsor", None)
    if sponsor:
        sponsor.room = room
    sections = list(room.sections.announced().order_by("place"))
    return Terms(
        room=room,
        starts=_when(room, room.starts_at, zone),
        ends=_when(room, room.ends_at, zone),
        parts=[_part(number, section, room, zone) for number, section in enumerate(sections, 1)],
        cents=sum(section.honorarium for section in sections),
        seats_taken=Participant.objects.seated().filter(room=room).count(),
        questions=(questions := room.screener.count()),
        thanks_left=screening.thanks_left(room) if questions > screening.UNPAID else 0,
        agreement=room.newest_agreement(),
        sponsor=sponsor,
        live_hours=[
            (hour, _when(room, hour.starts_at, zone)) for hour in room.live_hours.order_by("starts_at")
        ],
    )


def _part(number: int, section: Section, room: Room, zone: tzinfo) -> Part:
    opens = _when(room, section.opens_at, zone) if section.opens_at else None
    return Part(number, section.title, opens, section.honorarium)


def _when(room: Room, moment, zone: tzinfo) -> When:
    return When(moment, zone, room.zone)
