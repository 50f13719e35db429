"""What a poll's options say: a reader adds one, its author changes them before the first vote, a moderator puts a typo
right.

All of them lock the discussion, its opening, what counts the poll, and the poll, in this order. A vote locks what
counts it; a receipt that was written at the same moment is either seen here or waits until the change is made, since
its foreign key needs the poll's row.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db import transaction

from accounts.models import Member, User
from polls.models import Correction, Option, Poll, Receipt, Tally
from polls.models.polls import MOST_OPTIONS
from polls.services import opening, voting
from questions.models import Post, Question
from questions.services import limits, writing
from questions.services.moderation import rights
from sermo.errors import RuleBroken

MOST_LETTERS = 3  # that a correction changes
SHORTEST = 5  # letters of a word that a correction may change
ALLOWED = (
    f"At most {MOST_LETTERS} letters may change, in words of {SHORTEST} letters or more; no number, unit or “not”, and "
    "no beginning such as “un-” or “hypo-”."
)
LONGEST_TITLE, LONGEST_PROMPT, LONGEST_OPTION = 140, 200, 120  # characters
TURNING = {"no", "not", "non", "never", "without", "nor", "neither", "none", "un", "cannot"}
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
PREFIX = re.compile(
    "hyper|hypo|anti|ante|an|ab|ad|a|uni|un|inter|intra|infra|in|im|ir|dis|dia|de|non|pre|post|peri|poly|endo|en|exo"
    "|extra|ex|epi|super|supra|sub|macro|micro|milli|mono|multi|max|min|brady|tachy|oligo|retro|contra|bi|tri|"
)  # beginnings that turn a word around, a longer one before those it begins with
MEASURE = re.compile(
    "units?|(?:kilo|milli|micro|nano)?(?:gram|meter|metre|liter|litre|mole)s?|seconds?|minutes?|(?:hour|week|month|year)"
    "(?:s|ly)|month|daily|nightly|percent|twice|thrice|double|triple|half|quarter|three|seven|eight|eleven|twelve"
    "|[a-z]+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|[mb]illion|first|third|[a-z]+fth"
    "|(?:four|six|seven|eigh|nin|ten)th"
)  # units and numbers in words


class NoAdding(RuleBroken):
    message = "The author of this poll does not let readers add options."


class PollIsFull(RuleBroken):
    message = f"This poll has {MOST_OPTIONS} options; there can be no more."


class AddedBefore(RuleBroken):
    message = "You added an option already. Each reader can add one."


class VotingBegan(RuleBroken):
    message = (
        "Somebody has voted or seen the result, so the poll stays as it is. A moderator can correct a typo."
    )


class IsRepeated(RuleBroken):
    message = "This poll repeats an earlier one, so it stays as it is. A moderator can correct a typo."


class ChangedMeanwhile(RuleBroken):
    message = "The poll changed while you were editing. Compare before saving."


class NoRoom(opening.OptionsRefused):
    """Own options and those that readers added are more than ten; the message names the added ones."""

    def __init__(self, added: Sequence[str]):
        left, named = MOST_OPTIONS - len(added), ", ".join(f"“{text}”" for text in added)
        super().__init__(
            f"Readers added {named}. A poll has {MOST_OPTIONS} options at most, so write {left} or fewer."
        )


class HasPoints(RuleBroken):
    message = "A scale has its points from 1 to 5. They cannot be changed."


class NotATypo(RuleBroken):
    message = f"This changes more than a typo. {ALLOWED} People voted for what stands there."


class NothingChanged(RuleBroken):
    message = "It says that already."


class TooLong(RuleBroken):
    message = "This is too long."


@dataclass
class _Locked:
    poll: Poll
    post: Post
    tally: Tally
    options: list[Option]


def _lock(poll: Poll) -> _Locked:
    question = Question.objects.select_for_update().get(pk=poll.pk)
    post = Post.objects.select_for_update().get(question=question, kind=Post.Kind.OPENING)
    tally = Tally.objects.select_for_update().get(poll=poll.pk)
    poll = Poll.objects.select_for_update().get(pk=poll.pk)
    poll.question = post.question = question
    return _Locked(poll, post, tally, list(poll.options.order_by("place")))


@transaction.atomic
def add_option(*, poll: Poll, member: Member, text: str) -> Option:
    """Add a reader's own option, for which they and others may then vote. The same text twice is once.

    Raises NoAdding, PollIsFull, AddedBefore, SameOption, NumberOfOptions, limits.Held, and the refusals of
    `voting.check_may_vote`.
    """
    locked, text = _lock(poll), " ".join(text.split())
    own = next((option for option in locked.options if option.added_by_id == member.pk), None)
    if own and opening.folded(own.text) == opening.folded(text):
        _check_takes(locked.poll, member)
        return own
    _check_may_add(locked.poll, member, locked.options)
    opening.check_texts([*(option.text for option in locked.options), text])
    with opening.each_once():
        option = Option.objects.create(
            poll=locked.poll,
            place=len(locked.tally.counts),
            text=text,
            is_added=True,
            added_by=member,
            after_votes=locked.tally.voters,
        )
    locked.tally.counts.append(0)
    locked.tally.save(update_fields=["counts"])
    opening.make_searchable(locked.poll)
    return option


def check_may_add(*, poll: Poll, member: Member) -> None:
    """Whether a poll takes an option of this reader now. Raises what `add_option` does, but of the text."""
    _check_may_add(poll, member, list(poll.options.all()))


def _check_may_add(poll: Poll, member: Member, there: list[Option]) -> None:
    _check_takes(poll, member)
    if any(option.added_by_id == member.pk for option in there):
        raise AddedBefore
    if len(there) >= MOST_OPTIONS:
        raise PollIsFull


def _check_takes(poll: Poll, member: Member) -> None:
    voting.check_may_vote(poll, member)
    limits.check_not_held(member)
    if not poll.may_add:
        raise NoAdding


@transaction.atomic
def edit(
    *,
    poll: Poll,
    by: Member,
    texts: Sequence[str],
    prompt: str,
    low_label: str | None = None,
    high_label: str | None = None,
    was: str | None = None,
) -> Poll:
    """Change what a poll asks and its author's options, before the first vote. What readers added stays behind them.

    `prompt` is the title of a poll that stands alone. Of a scale only that and the labels change. `was` is what
    `wording_of` made of the poll that the editor started from: what a moderator corrected or took out meanwhile does
    not come back. Raises NotYours, PollIsOver, VotingBegan, IsRepeated, ChangedMeanwhile, NoPrompt, NumberOfOptions,
    NoRoom, SameOption, and what `writing.edit_post` raises.
    """
    locked = _lock(poll)
    poll = locked.poll
    if poll.question.asker_id != by.pk:
        raise writing.NotYours
    if poll.is_over or not poll.question.is_open:
        raise voting.PollIsOver
    if not by.may_write:
        raise writing.ReadOnly
    limits.check_not_held(by)
    if Receipt.objects.filter(poll=poll).exists():
        raise VotingBegan
    if poll.wave and poll.wave > 1:
        raise IsRepeated
    if was is not None and was != wording_of(poll):
        raise writing.TakenOutByModerator if writing.is_redacted(locked.post) else ChangedMeanwhile
    if not prompt:
        raise opening.NoPrompt
    if poll.kind == Poll.Kind.SCALE:
        poll.low_label = poll.low_label if low_label is None else low_label
        poll.high_label = poll.high_label if high_label is None else high_label
    else:
        _write_anew(locked, [" ".join(text.split()) for text in texts])
    if poll.question.kind == Question.Kind.POLL:
        writing.edit_post(post=locked.post, by=by, source=locked.post.source, title=prompt)
    else:
        poll.prompt = prompt
    poll.save(update_fields=["prompt", "low_label", "high_label"])
    opening.make_searchable(poll)
    return poll


def wording_of(poll: Poll) -> str:
    """A digest of all that its author can change."""
    own = poll.options.filter(is_added=False).order_by("place").values_list("text", flat=True)
    return voting.wording_of([asked_by(poll), poll.low_label, poll.high_label, *own])


def _write_anew(locked: _Locked, texts: list[str]) -> None:
    """Replace all options while no vote hangs on them. Corrections stay, of options that are gone too."""
    own = [option.text for option in locked.options if not option.is_added]
    added = [option for option in locked.options if option.is_added]
    if texts == own:
        return
    opening.check_texts(texts)
    _check_beside(texts, [option.text for option in added])
    corrected = list(
        Correction.objects.filter(poll=locked.poll, option__isnull=False).select_related("option")
    )
    said = [(correction.pk, correction.option.text) for correction in corrected]
    Correction.objects.filter(pk__in=[pk for pk, _ in said]).update(option=None)
    Option.objects.filter(poll=locked.poll).delete()
    for place, option in enumerate(added, start=len(texts)):
        option.pk, option.place = None, place
    fresh = [Option(poll=locked.poll, place=place, text=text) for place, text in enumerate(texts)]
    with opening.each_once():
        Option.objects.bulk_create([*fresh, *added])
    for pk, text in said:
        Correction.objects.filter(pk=pk).update(option=locked.poll.options.filter(text=text).first())
    locked.tally.counts = [0] * len(fresh + added)
    locked.tally.save(update_fields=["counts"])


def _check_beside(texts: list[str], added: list[str]) -> None:
    """Whether one's own options fit beside those that readers added. Raises NoRoom, SameOption."""
    if len(texts) + len(added) > MOST_OPTIONS:
        raise NoRoom(added)
    taken = {opening.folded(text) for text in added}
    for place, text in enumerate(texts):
        if opening.folded(text) in taken:
            raise opening.SameOption(place=place)


@transaction.atomic
def correct(*, poll: Poll, user: User, option: Option | None, text: str) -> Correction:
    """Put right a typo in an option, or (none) in what the poll asks; it is shown under the poll for good.

    Raises NotAModerator, TakesPart, HasPoints, NothingChanged, NotATypo, TooLong, SameOption.
    """
    rights.check_moderator(user)
    rights.check_no_part(user, poll.pk)
    locked, text = _lock(poll), " ".join(text.split())
    poll = locked.poll
    if option is not None and poll.kind == Poll.Kind.SCALE:
        raise HasPoints
    was = asked_by(poll) if option is None else Option.objects.get(poll=poll, pk=option.pk).text
    _check_typo(was, text)
    _check_length(poll, option, text)
    if option is None:
        _ask_otherwise(poll, text)
    else:
        others = [one.text for one in locked.options if one.pk != option.pk]
        opening.check_texts([*others, text])
        with opening.each_once():
            Option.objects.filter(pk=option.pk).update(text=text)
    opening.make_searchable(poll)
    return Correction.objects.create(poll=poll, option=option, was=was, became=text, moderator=user)


def asked_by(poll: Poll) -> str:
    """What a poll asks: its prompt, or the title of the discussion that it is."""
    return poll.question.title if poll.question.kind == Question.Kind.POLL else poll.prompt


def _ask_otherwise(poll: Poll, text: str) -> None:
    if poll.question.kind == Question.Kind.POLL:
        poll.question.title = text
        poll.question.save(update_fields=["title"])
    else:
        poll.prompt = text
        poll.save(update_fields=["prompt"])


def _check_length(poll: Poll, option: Option | None, text: str) -> None:
    stands_alone = poll.question.kind == Question.Kind.POLL
    most = LONGEST_OPTION if option else LONGEST_TITLE if stands_alone else LONGEST_PROMPT
    if len(text) > most:
        raise TooLong(f"At most {most} characters; this has {len(text)}.")


def _check_typo(was: str, text: str) -> None:
    """A few letters of long words, and nothing that could turn the sense around. Raises NothingChanged, NotATypo."""
    if not text or text == was:
        raise NothingChanged
    if letters_changed(was.lower(), text.lower()) > MOST_LETTERS or _weighty(was) != _weighty(text):
        raise NotATypo
    before, after = WORD.findall(was), WORD.findall(text)
    for tag, start, end, other_start, other_end in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            _check_words(before[start:end], after[other_start:other_end], is_first=not start)


def _check_words(before: list[str], after: list[str], *, is_first: bool) -> None:
    """Words that stand where others stood: as many of them, or the same letters with a space more or less."""
    if len(before) != len(after):
        is_space = "".join(before).lower() == "".join(after).lower()
        if not is_space or any(_is_fixed(word) for word in before + after):
            raise NotATypo
        return
    for was, now in zip(before, after, strict=True):
        is_capital = is_first and was is before[0] and was[1:] == now[1:] and was.lower() == now.lower()
        if was == now or is_capital:
            continue
        if _is_fixed(was) or _is_fixed(now) or _prefix(was) != _prefix(now):
            raise NotATypo


def _is_fixed(word: str) -> bool:
    """Whether a word is so short, or a unit or a number, that another letter makes another word of it."""
    return len(word) < SHORTEST or MEASURE.fullmatch(word.lower()) is not None


def _prefix(word: str) -> str:
    """The beginning of a word that turns its sense around, or nothing."""
    return PREFIX.match(word.lower().replace("-", ""))[0]


def _weighty(text: str) -> list[str]:
    """The numbers of a text with the signs at them, its other signs, and its words that say no."""
    found = re.findall(
        r"[<>≤≥=±+−.-]*\d[\d.,/–-]*\d|[<>≤≥=±+−.-]*\d|[a-z]+n['’]t\b|[a-z]+|[^\w\s.,;:!?()'’\"“”‘-]",
        text.lower(),
    )
    return [one for one in found if not one[0].isalpha() or one in TURNING or "n't" in one or "n’t" in one]


def letters_changed(one: str, other: str) -> int:
    """How many letters must be put in, taken out or replaced to make one text of another (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        before, row = row, [number]
        for place, wanted in enumerate(other):
            row.append(min(before[place + 1] + 1, row[place] + 1, before[place] + (letter != wanted)))
    return row[-1]
