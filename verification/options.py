"""The multiple-choice questions of the challenge, and wrong answers that give nothing away.

The six options of a question depend only on the server's key, the person and the fact, so everybody who claims a
person sees the same six: options drawn anew would show the truth as the one that stays. Each candidate gets a lot
from an HMAC and the lowest lots win, so a school or ZIP code added later rarely changes the draw.

Where options lie on a scale, six are drawn that would have been drawn alike had another of them been the truth.
Filling in around the truth would leave it in the middle, and near the end of a range at the end. So years are dealt
into hands of six without a look at the truth, and license numbers lie on a ring, which has no end.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, count

from django.db.models import Q
from django.utils import timezone

from accounts.models import Specialty
from accounts.places import STATES
from sermo.crypto import keyed_digest
from verification.models import Education, MedicalSchool, Provider, ProviderLicense
from verification.registry import FIRST_TELLING_YEAR, Fact

OPTIONS = 6
QUESTIONS = 5
FEWEST_QUESTIONS = 4
NONE_OF_THESE = "None of these"
FIRST_GRADUATION_YEAR = 1943
YEARS_DEALT = 12  # together, twice as many as a question shows
STUDY_YEARS = 4
TRAINING_YEARS = 1  # after graduation, before which no state gives a license: who guesses knows it

TEXTS = {
    "school": "From which medical school did you graduate?",
    "grad_year": "In which year did you graduate from medical school?",
    "license": "Which is the number of your {state} license, as the registry has it?",
    "second_license": "In which other state does the registry list a license of yours?",
    "practice_zip": "Which is the ZIP code of your practice in the registry?",
    "enumeration_year": "In which year were you given your NPI?",
    "taxonomy": "Which is your primary specialty in the registry?",
}
# "None of these" goes to questions that the first try of this person always asks, whatever they typed.
MAY_HAVE_NONE = ("school", "grad_year", "second_license", "practice_zip")

# Millions of people in 2020, rounded: a license is likelier in a large state, so wrong answers must be too.
STATE_WEIGHTS = {
    state: weight
    for weight, states in {
        40: "CA", 29: "TX", 22: "FL", 20: "NY", 13: "PA IL", 12: "OH", 11: "GA", 10: "NC MI", 9: "NJ VA", 8: "WA",
        7: "AZ MA TN IN", 6: "MD MO WI CO MN", 5: "SC AL LA", 4: "KY OR OK CT", 3: "UT IA NV AR MS KS PR",
        2: "NM NE ID WV", 1: "HI NH ME RI MT DE SD ND AK DC VT WY",
    }.items()
    for state in states.split()
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """The options of one question in the order of their scale, or in no order (`is_scale` false)."""

    fact: str
    text: str
    truth: str
    wrong: tuple[str, ...]
    is_scale: bool


class Lots:
    """Draws that come out the same for one person and fact, and cannot be foretold without the server's key."""

    def __init__(self, npi: str, fact: str):
        self.about = f"{npi}|{fact}"

    def fraction(self, label: str) -> float:
        """A number above 0 and below 1."""
        digest = keyed_digest(f"{self.about}|{label}", "challenge options")
        return (int.from_bytes(digest[:6]) + 1) / (2**48 + 2)

    def below(self, bound: int, label: str) -> int:
        return int(self.fraction(label) * bound)

    def pick(self, candidates: Iterable, count: int, weight=lambda candidate: 1) -> list:
        """Some of the candidates, each drawn in proportion to its weight (Efraimidis and Spirakis, 2006)."""
        return sorted(candidates, key=lambda each: -math.log(self.fraction(str(each))) / weight(each))[:count]

    def dealt(self, truth: int, first: int, latest: int) -> list[int]:
        """Five other years of the hand that holds the truth.

        The years from `first` on are dealt by twelves, what is left at the end alone if it makes a hand and else with
        the last twelve, so that a new year changes the options of none but the latest 17. Who is left over of a deal
        is dealt in the next.
        """
        if truth < first:
            first -= math.ceil((first - truth) / YEARS_DEALT) * YEARS_DEALT
        latest = max(latest, truth, first + OPTIONS - 1)
        twelves, left = divmod(latest - first + 1, YEARS_DEALT)
        last = twelves if left >= OPTIONS else max(twelves - 1, 0)
        number = min((truth - first) // YEARS_DEALT, last)
        lowest = first + number * YEARS_DEALT
        highest = latest if number == last else lowest + YEARS_DEALT - 1
        for deal in count():
            order = sorted(
                range(lowest, highest + 1), key=lambda year: self.fraction(f"deal {deal} {lowest} {year}")
            )
            place = order.index(truth) // OPTIONS * OPTIONS
            hand = order[place : place + OPTIONS]
            if len(hand) == OPTIONS:
                return [year for year in hand if year != truth]
        raise AssertionError("a deal ends")

    def on_a_ring(self, truth: int, size: int, label: str = "") -> list[int]:
        """Five other numbers below `size`, where 0 follows the highest: gaps by lot, the truth at any place by lot."""
        widest = max(1, size // 8)
        gaps = [1 + self.below(widest, f"gap{label} {number}") for number in range(OPTIONS - 1)]
        offsets = [0, *accumulate(gaps)]
        first = truth - offsets[self.below(OPTIONS, f"place{label}")]
        return [(first + offset) % size for offset in offsets if first + offset != truth]


def options_for(provider: Provider, fact: Fact) -> Options | None:
    """The frozen options of one fact, or None when five wrong answers cannot be found."""
    lots = Lots(provider.npi, fact.kind)
    truth, wrong = _BUILDERS[fact.kind](lots, provider, fact)
    if len(set(wrong) - {truth}) < OPTIONS - 1:
        return None
    text = TEXTS[fact.kind].format(state=dict(STATES).get(fact.state, fact.state))
    return Options(fact.kind, text, truth, tuple(wrong), is_scale=fact.kind in _ON_A_SCALE)


def _school(lots: Lots, provider: Provider, fact: Fact):
    """Schools of the same degree that were open when the person studied.

    Two share the true one's state, and the rest come from as few other states, each named as often: else the state
    named most would betray the truth.
    """
    truth = MedicalSchool.objects.get(pk=fact.value)
    by_state = defaultdict(list)
    for school in _schools_like(truth, provider):
        by_state[school.state].append(school.name)
    wrong = lots.pick(by_state.pop(truth.state, []), 2)
    share = len(wrong) + 1
    for state in lots.pick([state for state, names in by_state.items() if len(names) >= share], OPTIONS):
        if len(wrong) < OPTIONS - 1:
            wrong += lots.pick(by_state.pop(state), share)
    rest = [name for names in by_state.values() for name in names]
    return truth.name, (wrong + lots.pick(rest, OPTIONS))[: OPTIONS - 1]


def _schools_like(truth: MedicalSchool, provider: Provider):
    """Schools that the person could have attended; a campus and its college are one."""
    year = Education.objects.filter(npi=provider.npi).values_list("grad_year", flat=True).first()
    schools = MedicalSchool.objects.filter(degree=truth.degree, campus_of=None)
    schools = schools.exclude(pk__in=[truth.pk, truth.campus_of_id or 0])
    if year:
        schools = schools.filter(Q(year_from=None) | Q(year_from__lte=year - STUDY_YEARS))
        schools = schools.filter(Q(year_closed=None) | Q(year_closed__gte=year))
    return schools


def _grad_year(lots: Lots, provider: Provider, fact: Fact):
    latest = timezone.localdate().year - TRAINING_YEARS
    years = lots.dealt(int(fact.value), FIRST_GRADUATION_YEAR, latest)
    return fact.value, [str(year) for year in years]


def _enumeration_year(lots: Lots, provider: Provider, fact: Fact):
    years = lots.dealt(int(fact.value), FIRST_TELLING_YEAR, timezone.localdate().year)
    return fact.value, [str(year) for year in years]


def _license(lots: Lots, provider: Provider, fact: Fact):
    """Numbers of the same shape and leading block, none of them the person's."""
    digits = max(re.finditer(r"\d+", fact.value), key=lambda run: len(run[0]), default=None)
    if digits is None:
        return fact.value, []
    varied = min(4, max(1, len(digits[0]) - 1))
    cut = digits.end() - varied
    own = set(ProviderLicense.objects.filter(npi=provider.npi).values_list("number", flat=True))
    for attempt in range(20):
        tails = lots.on_a_ring(int(fact.value[cut : digits.end()]), 10**varied, str(attempt))
        wrong = [f"{fact.value[:cut]}{tail:0{varied}d}{fact.value[digits.end() :]}" for tail in tails]
        if not own.intersection(wrong):
            return fact.value, wrong
    return fact.value, []


def _second_license(lots: Lots, provider: Provider, fact: Fact):
    held = set(ProviderLicense.objects.filter(npi=provider.npi).values_list("state", flat=True))
    names = dict(STATES)
    wrong = lots.pick(STATE_WEIGHTS.keys() - held, OPTIONS - 1, weight=STATE_WEIGHTS.get)
    return names.get(fact.state, fact.state), [names[state] for state in wrong]


def _practice_zip(lots: Lots, provider: Provider, fact: Fact):
    """ZIP codes of other practices in the same block of a hundred, made up only where there are too few."""
    block = fact.value[:3]
    real = Provider.objects.filter(practice_zip__startswith=block, practice_state=provider.practice_state)
    real = {code[:5] for code in real.values_list("practice_zip", flat=True).distinct()} - {fact.value}
    wrong = lots.pick(real, OPTIONS - 1)
    made_up = {f"{block}{tail:02d}" for tail in range(1, 100)} - real - {fact.value}
    return fact.value, wrong + lots.pick(made_up, OPTIONS - 1 - len(wrong))


def _taxonomy(lots: Lots, provider: Provider, fact: Fact):
    """Specialties of the same rank in the tree, none of them listed for the person."""
    listed = ProviderLicense.objects.filter(npi=provider.npi).values_list("taxonomy", flat=True)
    own = Specialty.objects.filter(code__in={*listed, fact.value})
    names = set(own.values_list("name", flat=True))
    truth = next((each for each in own if each.code == fact.value), None)
    if truth is None:
        return fact.value, []
    is_top = truth.name == truth.group
    choices = Specialty.objects.filter(is_choice=True).exclude(name__in=names)
    same_rank = [each.name for each in choices if (each.name == each.group) == is_top]
    return truth.name, lots.pick(same_rank, OPTIONS - 1)


_BUILDERS = {
    "school": _school,
    "grad_year": _grad_year,
    "license": _license,
    "second_license": _second_license,
    "practice_zip": _practice_zip,
    "enumeration_year": _enumeration_year,
    "taxonomy": _taxonomy,
}
_ON_A_SCALE = {"grad_year", "license", "practice_zip", "enumeration_year"}


def none_questions(npi: str, kinds: Sequence[str]) -> dict[str, bool]:
    """Which two facts of a person offer "None of these", and for which of them, if any, that is true.

    Drawn once per person and from what the registry has of them, never from what was typed. Of the two it is true at
    most once, so there are 35 ways in which both can be answered right; odds of two in seven that it is true of the
    first make them all as likely, and no way of guessing is better than another.
    """
    lots = Lots(npi, "none of these")
    fitting = [kind for kind in MAY_HAVE_NONE if kind in kinds]
    if len(fitting) < 2:
        fitting = [kind for kind in (*MAY_HAVE_NONE, "enumeration_year") if kind in kinds]
    chosen = lots.pick(fitting, 2)
    return {kind: place == 0 and lots.below(7, "is true") < 2 for place, kind in enumerate(chosen)}


def question(provider: Provider, options: Options, none: bool | None, shuffle) -> dict:
    """One entry of a challenge's sheet: {fact, text, options, right, given}.

    `none`: None when "None of these" is not offered, else whether it is the right answer. `shuffle` orders a list
    in place, differently each time; options on a scale stand in their order, "None of these" always last.
    """
    lots = Lots(provider.npi, options.fact)
    shown = [options.truth, *options.wrong]
    if none is True:
        shown = list(options.wrong)
    elif none is False:
        shown.remove(lots.pick(options.wrong, 1)[0])
    if options.is_scale:
        shown.sort()
    else:
        shuffle(shown)
    if none is not None:
        shown.append(NONE_OF_THESE)
    right = shown.index(NONE_OF_THESE if none else options.truth)
    return {"fact": options.fact, "text": options.text, "options": shown, "right": right, "given": None}
