"""What keeps or changes a poll whose discussion moderators or its author work on: words that go, and removal."""

from collections.abc import Callable

from polls.models import Correction, Option, Poll, Receipt, Tally
from questions.models import Question
from sermo.errors import RuleBroken

POLL_TEXTS = ("prompt", "low_label", "high_label")
CORRECTION_TEXTS = ("was", "became")


class HasVotes(RuleBroken):
    message = "Colleagues voted in it, so it stays. Close it instead."


def check_removal(question: Question) -> None:
    """A poll that colleagues voted in is not its author's alone. Raises HasVotes.

    The caller holds the discussion; a vote is counted before, or finds it removed.
    """
    Tally.objects.select_for_update().filter(poll=question.pk).first()
    if Receipt.objects.filter(poll=question.pk, kind=Receipt.Kind.VOTED).exists():
        raise HasVotes


# Words that go


def take_out(*, poll_id: int, cut: Callable[[str], str]) -> dict:
    """Cut words out of all that a poll says; return what putting back needs, nothing if it said none of them.

    Places and counts stay. The points of a scale are no words. In the caller's transaction, which holds the
    discussion.
    """
    poll = _lock(poll_id)
    kept = {
        "poll": _cut_row(poll, POLL_TEXTS, cut),
        "options": {} if poll.kind == Poll.Kind.SCALE else _cut_options(poll, cut),
        "corrections": {
            str(row.pk): cuts
            for row in Correction.objects.filter(poll=poll)
            if (cuts := _cut_row(row, CORRECTION_TEXTS, cut))
        },
    }
    return kept if any(kept.values()) else {}


def put_back(*, poll_id: int, kept: dict) -> None:
    """Let a poll say again what was cut, wherever nobody changed it since."""
    poll = _lock(poll_id)
    _put_back_row(poll, kept["poll"])
    for number, (said, now) in kept["options"].items():
        others = {_compared(text) for text in poll.options.exclude(pk=number).values_list("text", flat=True)}
        if _compared(said) not in others:
            poll.options.filter(pk=number, text=now).update(text=said)
    for row in Correction.objects.filter(poll=poll, pk__in=kept["corrections"]):
        _put_back_row(row, kept["corrections"][str(row.pk)])


def _lock(poll_id: int) -> Poll:
    """As all who change the words of a poll do, the tally first."""
    Tally.objects.select_for_update().get(poll=poll_id)
    return Poll.objects.select_for_update().get(pk=poll_id)


def _cut_options(poll: Poll, cut: Callable[[str], str]) -> dict[str, list[str]]:
    """Two options that say the same without the words are told apart by a number."""
    options = list(poll.options.order_by("place"))
    shorter = {option: now for option in options if (now := _fitted(option, "text", cut)) != option.text}
    taken = {_compared(option.text) for option in options if option not in shorter}
    kept = {}
    for option, now in shorter.items():
        now = _numbered(now, taken)
        taken.add(_compared(now))
        kept[str(option.pk)] = [option.text, now]
        Option.objects.filter(pk=option.pk).update(text=now)
    return kept


def _numbered(text: str, taken: set[str]) -> str:
    longest, number, found = Option._meta.get_field("text").max_length, 1, text
    while _compared(found) in taken:
        number += 1
        mark = f" ({number})"
        found = text[: longest - len(mark)] + mark
    return found


def _compared(text: str) -> str:
    """As the database compares options."""
    return text.lower()


def _fitted(row, name: str, cut: Callable[[str], str]) -> str:
    return cut(getattr(row, name))[: row._meta.get_field(name).max_length]


def _cut_row(row, names: tuple[str, ...], cut: Callable[[str], str]) -> dict[str, list[str]]:
    """Cut words out of the texts of a row; return what each said and says now."""
    kept = {name: [getattr(row, name), _fitted(row, name, cut)] for name in names}
    kept = {name: [said, now] for name, (said, now) in kept.items() if said != now}
    for name, (_, now) in kept.items():
        setattr(row, name, now)
    if kept:
        row.save(update_fields=list(kept))
    return kept


def _put_back_row(row, kept: dict[str, list[str]]) -> None:
    names = [name for name, (_, now) in kept.items() if getattr(row, name) == now]
    for name in names:
        setattr(row, name, kept[name][0])
    if names:
        row.save(update_fields=names)
