"""What a poll's options say: a reader adds one, its author changes them before the first vote, a moderator puts a slip
right.

All of them lock the discussion, its opening, what counts the poll, and the poll, in this order. A vote locks what
counts it; a receipt that was written at the same moment is either seen here or waits until the change is made, since
its foreign key needs the poll's row.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

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
LONGEST_TITLE, LONGEST_PROMPT, LONGEST_OPTION = 140, 200, 120  # characters
TURNING = {"no", "not", "non", "never", "without", "nor", "neither", "none", "un", "cannot"}


class NoAdding(RuleBroken):
    message = "The author of this poll does not let readers add options."


class PollIsFull(RuleBroken):
    message = f"This poll has {MOST_OPTIONS} options; there can be no more."


class AddedBefore(RuleBroken):
    message = "You added an option already. Each reader can add one."


class VotingBegan(RuleBroken):
    message = (
        "Somebody has voted or seen the result, so the poll stays as it is. A moderator can put a slip right."
    )


class HasPoints(RuleBroken):
    message = "A scale has its points from 1 to 5. They cannot be changed."


class NotASlip(RuleBroken):
    message = (
        f"This changes more than a slip: at most {MOST_LETTERS} letters, and no number and no “not”. "
        "People voted for what stands there."
    )


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
    voting.check_may_vote(locked.poll, member)
    limits.check_not_held(member)
    if not locked.poll.may_add:
        raise NoAdding
    own = next((option for option in locked.options if option.added_by_id == member.pk), None)
    if own and opening.folded(own.text) == opening.folded(text):
        return own
    if own:
        raise AddedBefore
    if len(locked.options) >= MOST_OPTIONS:
        raise PollIsFull
    opening.check_texts([*(option.text for option in locked.options), text])
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


@transaction.atomic
def edit(
    *,
    poll: Poll,
    by: Member,
    texts: Sequence[str],
    prompt: str,
    low_label: str | None = None,
    high_label: str | None = None,
) -> Poll:
    """Change what a poll asks and its author's options, before the first vote. What readers added stays behind them.

    `prompt` is the title of a poll that stands alone. Of a scale only that and the labels change. Raises NotYours,
    PollIsOver, VotingBegan, NoPrompt, NumberOfOptions, SameOption, and what `writing.edit_post` raises.
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


def _write_anew(locked: _Locked, texts: list[str]) -> None:
    """Replace all options while nothing hangs on them. A correction of words that nobody voted on goes with them."""
    own = [option.text for option in locked.options if not option.is_added]
    added = [option for option in locked.options if option.is_added]
    if texts == own:
        return
    opening.check_texts(texts)
    opening.check_texts([*texts, *(option.text for option in added)])
    Option.objects.filter(poll=locked.poll).delete()
    for place, option in enumerate(added, start=len(texts)):
        option.pk, option.place = None, place
    fresh = [Option(poll=locked.poll, place=place, text=text) for place, text in enumerate(texts)]
    Option.objects.bulk_create([*fresh, *added])
    locked.tally.counts = [0] * len(fresh + added)
    locked.tally.save(update_fields=["counts"])


@transaction.atomic
def correct(*, poll: Poll, user: User, option: Option | None, text: str) -> Correction:
    """Put right a slip of the pen in an option, or (none) in what the poll asks; it is shown under the poll for good.

    Raises NotAModerator, TakesPart, HasPoints, NothingChanged, NotASlip, TooLong, SameOption.
    """
    rights.check_moderator(user)
    rights.check_no_part(user, poll.pk)
    locked, text = _lock(poll), " ".join(text.split())
    poll = locked.poll
    if option is not None and poll.kind == Poll.Kind.SCALE:
        raise HasPoints
    was = asked_by(poll) if option is None else Option.objects.get(poll=poll, pk=option.pk).text
    _check_slip(was, text)
    _check_length(poll, option, text)
    if option is None:
        _ask_otherwise(poll, text)
    else:
        others = [one.text for one in locked.options if one.pk != option.pk]
        opening.check_texts([*others, text])
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


def _check_slip(was: str, text: str) -> None:
    """A few letters, but no number and no word that turns the sense around. Raises NothingChanged, NotASlip."""
    if not text or text == was:
        raise NothingChanged
    if letters_changed(was.lower(), text.lower()) > MOST_LETTERS or _weighty(was) != _weighty(text):
        raise NotASlip


def _weighty(text: str) -> list[str]:
    """The numbers of a text, signs before and between them included, and its words that say no."""
    found = re.findall(r"[<>≤≥=±+−.-]*\d[\d.,/–-]*\d|[<>≤≥=±+−.-]*\d|[a-z]+n['’]t\b|[a-z]+", text.lower())
    return [one for one in found if not one[0].isalpha() or one in TURNING or "n't" in one or "n’t" in one]


def letters_changed(one: str, other: str) -> int:
    """How many letters must be put in, taken out or replaced to make one text of another (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        before, row = row, [number]
        for place, wanted in enumerate(other):
            row.append(min(before[place + 1] + 1, row[place] + 1, before[place] + (letter != wanted)))
    return row[-1]
