"""What the answers to a prompt come to: choices counted, places and points averaged, as drawings and in words.

Those who run a room see every number, and cells from five answers on. A sponsor sees nothing of fewer than five: see
`smallness`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from typing import NamedTuple

from focusgroups.models import Answer, Prompt
from focusgroups.smallness import FEW, LEAST, UNSHOWN, hidden_among

Kind = Prompt.Kind


class Bar(NamedTuple):
    """One option or point: its figure in words, and how long it is drawn, in percent; None where it is not shown."""

    text: str
    figure: str
    share: str
    percent: int | None


class Group(NamedTuple):
    """A quota cell, and its figures in the order of the bars."""

    name: str
    answers: int
    figures: list[str]


@dataclass
class Chart:
    """A prompt with what was answered to it."""

    prompt: Prompt
    number: str
    answers: str  # how many, in words
    bars: list[Bar] = field(default_factory=list)
    finding: str = ""
    note: str = ""  # why something is not shown
    heads: list[str] = field(default_factory=list)  # of the figures of groups
    groups: list[Group] = field(default_factory=list)

    @property
    def measures(self) -> str:
        return "Mean place" if self.prompt.kind == Kind.RANKED else "Chosen by"


def chart_of(
    prompt: Prompt,
    answers: Sequence[Answer],
    cells: Mapping[int, str],
    *,
    number: str = "",
    for_sponsor: bool = False,
) -> Chart:
    """`answers` are all that may be counted, each with its quota cell as `cell_id`; `cells` are what may be named."""
    count = len(answers)
    if for_sponsor and 0 < count < LEAST:
        return Chart(prompt, number, _answers(FEW), note="Figures stand here from five answers on.")
    chart = Chart(prompt, number, _answers(count))
    if count and prompt.kind != Kind.OPEN:
        DRAWN[prompt.kind](chart, answers, cells, for_sponsor)
    return chart


def _answers(count: int | str) -> str:
    return f"{count} answer{'' if count == 1 else 's'}"


def percent(count: int, of: int) -> int:
    """A share in whole percent, rounded half up."""
    return (200 * count + of) // (2 * of) if of else 0


# Choices


def _draw_choices(chart: Chart, answers, cells, for_sponsor: bool) -> None:
    options = list(chart.prompt.options.all())
    counts = _chosen(answers, options)
    chart.bars = _counted(chart, [option.text for option in options], counts, len(answers), for_sponsor)
    several = "Several could be chosen: shares can add up to more than 100%."
    hidden = f"{UNSHOWN.capitalize()}: {FEW}, or what they could be worked out from."
    notes = {several: chart.prompt.kind == Kind.MULTIPLE, hidden: any(b.percent is None for b in chart.bars)}
    chart.note = " ".join(words for words, is_due in notes.items() if is_due)
    groups = _groups(answers, cells, for_sponsor)
    if for_sponsor and not _all_told(
        [counts, *(_chosen(some, options) for _, some in _with_rest(groups, answers))]
    ):
        groups = []
    chart.heads = [option.text for option in options]
    chart.groups = [
        Group(name, len(some), [f"{percent(count, len(some))}%" for count in _chosen(some, options)])
        for name, some in groups
    ]


def _chosen(answers, options) -> list[int]:
    counts = Counter(pk for answer in answers for pk in answer.chosen)
    return [counts[option.pk] for option in options]


def _counted(chart: Chart, texts: list[str], counts: list[int], of: int, for_sponsor: bool) -> list[Bar]:
    hidden = hidden_of(chart.prompt, counts, of) if for_sponsor else set()
    return [
        Bar(text, UNSHOWN, "", None)
        if place in hidden
        else Bar(text, str(count), f"{percent(count, of)}%", percent(count, of))
        for place, (text, count) in enumerate(zip(texts, counts, strict=True))
    ]


def hidden_of(prompt: Prompt, counts: Sequence[int], of: int) -> set[int]:
    """The places of counts that a sponsor is not shown, among so many answers.

    Where several could be chosen, each option parts those who chose it from those who did not.
    """
    if prompt.kind == Kind.MULTIPLE:
        return {place for place, count in enumerate(counts) if hidden_among([count, of - count])}
    return hidden_among(counts)


# Rankings


def _draw_ranking(chart: Chart, answers, cells, for_sponsor: bool) -> None:
    options = list(chart.prompt.options.all())
    places = dict(zip(options, _mean_places(answers, options), strict=True))
    options.sort(key=lambda option: (places[option], option.place))
    worst = max(len(options) - 1, 1)
    chart.bars = [
        Bar(
            option.text,
            f"{places[option]:.1f}",
            "",
            percent(round(100 * (worst - places[option] + 1)), 100 * worst),
        )
        for option in options
    ]
    chart.finding = f"Mean places of {len(options)}: 1 is the best."
    chart.heads = [option.text for option in options]
    chart.groups = [
        Group(name, len(some), [f"{place:.1f}" for place in _mean_places(some, options)])
        for name, some in _groups(answers, cells, for_sponsor)
    ]


def _mean_places(answers, options) -> list[float]:
    """A ranking has all options, each once."""
    return [mean(answer.chosen.index(option.pk) + 1 for answer in answers) for option in options]


# Scales


def _draw_scale(chart: Chart, answers, cells, for_sponsor: bool) -> None:
    prompt = chart.prompt
    points = [answer.points for answer in answers]
    counts = Counter(points)
    numbers = range(1, prompt.points + 1)
    bars = _counted(
        chart, [_point(prompt, n) for n in numbers], [counts[n] for n in numbers], len(points), for_sponsor
    )
    if any(bar.percent is None for bar in bars):
        chart.note = "Too few chose some of the points to show how many chose which."
    else:
        chart.bars = bars
    middle = "" if chart.note else f", median {median(points):g}"
    chart.finding = f"Mean {mean(points):.1f} of {prompt.points}{middle}{_ends(prompt)}."
    chart.heads = ["Mean"]
    chart.groups = [
        Group(name, len(some), [f"{mean(answer.points for answer in some):.1f}"])
        for name, some in _groups(answers, cells, for_sponsor)
    ]


def _point(prompt: Prompt, point: int) -> str:
    label = {1: prompt.low_label, prompt.points: prompt.high_label}.get(point, "")
    return f"{point}, {label}" if label else str(point)


def _ends(prompt: Prompt) -> str:
    ends = [(1, prompt.low_label), (prompt.points, prompt.high_label)]
    said = ", ".join(f"{point} is “{label}”" for point, label in ends if label)
    return f" ({said})" if said else ""


DRAWN = {
    Kind.SINGLE: _draw_choices,
    Kind.MULTIPLE: _draw_choices,
    Kind.RANKED: _draw_ranking,
    Kind.SCALE: _draw_scale,
}


# Quota cells


def _groups(answers, cells: Mapping[int, str], for_sponsor: bool) -> list[tuple[str, list[Answer]]]:
    """The cells with enough answers, if there is more than one cell. For a sponsor the rest of the answers are enough,
    too, or none."""
    some = {pk: [answer for answer in answers if answer.cell_id == pk] for pk in cells}
    groups = [(name, some[pk]) for pk, name in cells.items() if len(some[pk]) >= LEAST]
    if for_sponsor:
        while groups and 0 < len(answers) - sum(len(each) for _, each in groups) < LEAST:
            groups.remove(min(groups, key=lambda group: len(group[1])))
    return groups if len(cells) > 1 else []


def _with_rest(groups, answers) -> list[tuple[str, list[Answer]]]:
    told = {answer.pk for _, some in groups for answer in some}
    return [*groups, ("", [answer for answer in answers if answer.pk not in told])]


def _all_told(tables: list[list[int]]) -> bool:
    """Whether no number of any group, or of what they leave of the sum, is of a few."""
    return all(count == 0 or count >= LEAST for counts in tables for count in counts)
