"""A poll as its card shows it to one reader: the form to vote with, or the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone
from django.utils.functional import cached_property

from accounts.roles import is_moderator
from polls import counting, words
from polls.cookies import Kept
from polls.models import Ballot, Poll, Sponsor
from polls.reading import Loaded, State
from polls.results import Ranking, percent, rank
from polls.services import concerns, voting
from questions.models import Question
from sermo.recent import Recent

_final_rankings = Recent(200)  # of polls that are over, whose ballots change no more


@dataclass(frozen=True)
class Line:
    """An option, to choose or with what it got."""

    place: int
    text: str
    low_high: str = ""  # what an end of a scale means
    is_added: bool = False
    after_votes: int = 0
    is_chosen: bool = False  # in the form
    rank: int | None = None  # chosen, in the form of a ranking
    count: int = 0
    percent: int = 0
    own: str = ""  # "your vote", "your 2nd"


@dataclass
class Card:
    """A poll as one reader sees it. What is shown of results is asked for only where they are."""

    loaded: Loaded
    own: Kept | None = None  # what this browser remembers of one's vote
    marks: dict[int, int] | None = None  # after a refusal: what was chosen, with the place given to it
    refused: str = ""
    said: str = ""
    is_fresh: bool = False  # takes the place of the card whose button was just pressed
    token: str = ""
    started: str = ""
    in_list: bool = False

    def __getattr__(self, name):
        if name == "loaded":
            raise AttributeError(name)
        return getattr(self.loaded, name)

    @property
    def pk(self) -> int:
        return self.poll.pk

    @property
    def prompt(self) -> str:
        return self.poll.prompt

    @property
    def heading(self) -> str:
        return self.poll.prompt or self.poll.question.title

    @property
    def is_attached(self) -> bool:
        return self.poll.question.kind != Question.Kind.POLL

    @property
    def takes_form(self) -> bool:
        """Whether one votes in it right here; in a list only where one tap chooses."""
        one_tap = self.poll.kind in (Poll.Kind.SINGLE, Poll.Kind.SCALE)
        return self.state == State.VOTE and (one_tap or not self.in_list)

    @property
    def may_change(self) -> bool:
        """Whether this browser can change one's vote: it alone has the token."""
        return self.can_be_changed and self.own is not None and not self.in_list

    @property
    def can_be_changed(self) -> bool:
        return self.poll.may_change and self.state == State.VOTED

    @property
    def may_add(self) -> bool:
        member = self.member
        asked = member is not None and member.may_write and self.state in (State.VOTE, State.VOTED)
        return self.poll.may_add and asked and not self.in_list

    @property
    def may_close(self) -> bool:
        is_asker = self.member is not None and self.member.pk == self.poll.question.asker_id
        may_write = self.member is None or self.member.may_write
        return not self.is_over and may_write and (is_asker or self.can_moderate) and not self.in_list

    @property
    def may_edit(self) -> bool:
        """Whether it is one's own, and nobody has voted yet."""
        is_asker = self.member is not None and self.member.pk == self.poll.question.asker_id
        return is_asker and self.may_close and not self.beside.is_taken

    @property
    def can_moderate(self) -> bool:
        return is_moderator(self.user)

    @property
    def kind_words(self) -> str:
        return {
            Poll.Kind.SINGLE: "Choose one.",
            Poll.Kind.MULTIPLE: "Choose any number.",
            Poll.Kind.RANKED: "Rank as many as you like.",
            Poll.Kind.SCALE: "Choose from 1 to 5.",
        }[self.poll.kind]

    @property
    def audience(self) -> str:
        return words.audience(self.poll, self.beside.specialty_names)

    @property
    def ended_at(self) -> datetime:
        return self.poll.closed_at or self.poll.closes_at

    @cached_property
    def places_of_ranking(self) -> list[tuple[int, str]]:
        return [(number, words.ordinal(number)) for number in range(1, len(self.options) + 1)]

    # To choose from

    @property
    def wording(self) -> str:
        return voting.wording_of([option.text for option in self.options])

    @cached_property
    def lines(self) -> list[Line]:
        """The options of the form, with what is chosen in it; no number of any vote."""
        marks = self.marks
        if marks is None:
            own = self.own.choices if self.may_change else ()
            marks = {place: number for number, place in enumerate(own, start=1)}
        return [
            Line(
                option.place,
                option.text,
                low_high=self._end_of_scale(option.place),
                is_added=option.is_added,
                is_chosen=option.place in marks,
                rank=marks.get(option.place),
            )
            for option in self.options
        ]

    def _end_of_scale(self, place: int) -> str:
        if self.poll.kind != Poll.Kind.SCALE:
            return ""
        return {0: self.poll.low_label, len(self.options) - 1: self.poll.high_label}.get(place, "")

    # Results; for templates only where `shows_results`

    @property
    def voters(self) -> int:
        return self.tally.voters

    @cached_property
    def bars(self) -> list[Line]:
        own = self.own.choices if self.own and self.has_voted else ()
        return [
            Line(
                option.place,
                option.text,
                low_high=self._end_of_scale(option.place),
                is_added=option.is_added,
                after_votes=option.after_votes,
                count=count,
                percent=percent(count, self.tally.voters),
                own=self._own_mark(own, option.place),
            )
            for option, count in zip(self.options, self.tally.counts, strict=False)
        ]

    def _own_mark(self, own: Sequence[int], place: int) -> str:
        if place not in own:
            return ""
        ranked = self.poll.kind == Poll.Kind.RANKED
        return f"your {words.ordinal(own.index(place) + 1)}" if ranked else "your vote"

    @property
    def spread(self) -> str:
        is_scale = self.poll.kind == Poll.Kind.SCALE
        return words.spread(counting.spread(self.tally.counts)) if is_scale else ""

    @property
    def method(self) -> str:
        return words.method(self.poll, voters=self.tally.voters, seen=self.tally.seen)

    @cached_property
    def upheld(self) -> int:
        return 0 if self.in_list else concerns.upheld_count(self.poll.pk)

    @cached_property
    def ranking(self) -> Ranking | None:
        if self.poll.kind != Poll.Kind.RANKED or self.in_list or not self.tally.voters:
            return None
        texts = [option.text for option in self.options]
        key = (self.pk, self.poll.closed_at, *texts)
        found = _final_rankings.get(key) if self.poll.closed_at else None
        if found is None:
            found = rank(texts, list(Ballot.objects.filter(poll=self.poll).values_list("choices", flat=True)))
            if self.poll.closed_at:
                _final_rankings.put(key, found)
        return found

    @property
    def own_words(self) -> list[str]:
        """What one chose, as far as this browser knows; said where no result marks it."""
        own = self.own.choices if self.own and self.has_voted else ()
        texts = {option.place: option.text for option in self.options}
        return [texts[place] for place in own if place in texts]

    # Beside the question and its result

    @property
    def corrections(self) -> list[tuple[str, str, date]]:
        return [
            (each["was"], each["became"], timezone.localtime(datetime.fromisoformat(each["made_at"])).date())
            for each in self.beside.corrections
        ]

    @cached_property
    def sponsor(self) -> dict | None:
        """What is said of who pays, before the first question."""
        paid = self.beside.sponsor
        kind = Sponsor.Kind(paid["kind"]).label if paid else ""
        return paid and {
            "name": paid["name"],
            "kind": kind,
            "is_named": kind.lower() not in paid["name"].lower(),
            "honorarium": words.dollars(paid["honorarium"]),
            "minutes": words.minutes(self.tally.seconds),
            "left": paid["quota"] - paid["taken"],
            "learns_who": paid["is_blinded"] is False,
        }
