"""Success stories: how a case was solved, told to everybody once a moderator has looked.

A story names no one and links to no case. Its patient signed for it by name: a consent on an earlier form does not
cover it, nor one that nobody signed. With the consent, or the case, it is gone at once, and its words with it. Row
locks are taken in the order chain, discussion, member, case, consent, story, as where somebody writes in a discussion.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Kind, Member, User
from accounts.roles import is_moderator
from accounts.services import notices
from consults.models import Case, Consent, Story
from consults.models.stories import tellable_cases
from consults.services import triage
from questions.models import Byline, Question
from questions.rarity_forms import BREAK, digest_of
from questions.services import limits
from questions.services.moderation import rights
from questions.services.telling import mentioned
from questions.services.writing import ReadOnly
from sermo.errors import RuleBroken
from sermo.identifiers.rarity import Rarity, assess
from sermo.text import clip, plain, render_markdown
from verification.services import events

SHORTEST, LONGEST = 200, 6_000  # characters
EXCERPT = 220
PUBLISHED, RETURNED = "published", "returned"  # as keys of notices say it
OWN_PAGES = re.compile(r"/(?:consults|questions|posts|members|physicians)/", re.IGNORECASE)
CHANGED = (
    "The final diagnosis of the case changed or was taken back. See whether the story still tells what it was, and "
    "send it again."
)
State = Story.State


class NotYours(RuleBroken):
    message = "Only the author of a case tells its story."


class NotSolved(RuleBroken):
    message = "A story tells how a case was solved. This one is not solved, or is gone."


class StillPrivate(RuleBroken):
    message = "Not all physicians may read this consult. Its story can be told once they may."


class NotAllowed(RuleBroken):
    message = "No signed consent of this case covers a story and stands. Take one on the form of today."


class ToldAlready(RuleBroken):
    message = "This story is published. Take it back to write it anew."


class WrongLength(RuleBroken):
    message = f"A story has a title, and {SHORTEST} to {LONGEST:,} characters."


class StoryIdentifies(RuleBroken):
    message = (
        "Everybody reads a story, so nothing that is marked as an identifier may stay in it, for no reason."
    )


class MayIdentify(RuleBroken):
    message = "Together some details may identify the patient. Make them coarser, or confirm them below."


class NamesSomebody(RuleBroken):
    """The message says which words must go."""

    def __init__(self, words: Iterable[str]):
        said = ", ".join(f"“{one}”" for one in words)
        super().__init__(f"A story names no colleague and links to no page of members. Leave out {said}.")


class NotWaitingAnyMore(RuleBroken):
    message = "This story does not wait any more: a moderator decided, its author took it back, or its case changed."


class SentAgain(NotWaitingAnyMore):
    message = "This story was written anew since you opened the page. Look at it as it is now."


class OwnStory(RuleBroken):
    message = "This is a story of your own. Another moderator decides."


class WordsMissing(RuleBroken):
    message = "Say why, in a sentence. The author reads it."


# Writing


def may_be_told(case: Case) -> bool:
    """Whether a case, as it is now, may have a story. One query."""
    return tellable_cases().filter(pk=case.pk).exists()


@transaction.atomic
def write(*, case: Case, by: Member, title: str, source: str, rarity_seen: str = "") -> Story:
    """Send the story of a case of one's own to a moderator. Sent again it replaces what waits or came back.

    `rarity_seen` is the digest of the rare details that its author was shown and confirmed. Raises NotYours, ReadOnly,
    limits.Held, NotSolved, StillPrivate, NotAllowed, ToldAlready, WrongLength, StoryIdentifies, NamesSomebody,
    MayIdentify.
    """
    case = _lock(case, by)
    if case.question.asker_id != by.pk:
        raise NotYours
    if not by.may_write:
        raise ReadOnly
    limits.check_not_held(by)
    _check_may_be_told(case)
    title, source = " ".join(title.split()), source.strip()
    check_words(case, title, source, rarity_seen)
    story = Story.objects.select_for_update(of=("self",)).filter(case=case).first() or Story(case=case)
    if story.state == State.TOLD:
        if (story.title, story.source) == (title, source):
            return story
        raise ToldAlready
    if story.pk and story.state == State.CHECKING and (story.title, story.source) == (title, source):
        return story
    story.title, story.source, story.html = title, source, render_markdown(source)
    story.state, story.written_at, story.answer = State.CHECKING, timezone.now(), ""
    story.checked_at = story.checked_by = None
    story.save()
    return story


def _lock(case: Case, by: Member | None = None) -> Case:
    question = Question.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if by:
        Member.objects.select_for_update(no_key=True).filter(pk=by.pk).first()
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    case.question = question
    case.consent = Consent.objects.select_for_update(of=("self",)).get(pk=case.consent_id)
    return case


def _check_may_be_told(case: Case) -> None:
    """Raises NotSolved, StillPrivate, NotAllowed: the first that says why not."""
    if may_be_told(case):
        return
    is_over = case.is_withdrawn or case.question.is_removed
    if is_over or not (case.is_teaching or case.question.is_solved):
        raise NotSolved
    if case.question.audience != Question.Audience.PHYSICIANS:
        raise StillPrivate
    raise NotAllowed


def check_words(case: Case, title: str, source: str, rarity_seen: str = "") -> None:
    """Raises WrongLength, StoryIdentifies, NamesSomebody, MayIdentify."""
    longest = Story._meta.get_field("title").max_length
    if not title or len(title) > longest or not SHORTEST <= len(source) <= LONGEST:
        raise WrongLength
    if not render_markdown(source).strip():
        raise WrongLength
    if triage.identifiers_in([title, source]):
        raise StoryIdentifies
    if named := names_in(case, f"{title}\n{source}"):
        raise NamesSomebody(named)
    rarity = rarity_of(title, source)
    if rarity.is_high and rarity_seen != digest_of(rarity):
        raise MayIdentify


def rarity_of(title: str, source: str) -> Rarity:
    """What is rare in a story. Nothing stands beside it: it shows neither author nor specialty."""
    return assess(BREAK.join([" ".join(title.split()), source.replace("\r\n", "\n")]))


def names_in(case: Case, text: str) -> list[str]:
    """What a text says of who took part: their names as the discussion shows them, and addresses of members' pages."""
    found = [name for name in _names_shown(case) if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.I)]
    found += [f"@{handle}" for handle in mentioned(text)]
    return [*found, *dict.fromkeys(match[0] for match in OWN_PAGES.finditer(text))]


def _names_shown(case: Case) -> list[str]:
    """Of everybody who signed there no more than the face they show, lest a refusal join two; of the author both."""
    names = []
    for byline in Byline.objects.filter(question=case.pk).select_related("member"):
        is_author = byline.member_id == case.question.asker_id
        if byline.mode in Byline.UNDER_HANDLE or is_author:
            names.append(byline.member.handle)
        if byline.mode == Byline.Mode.PUBLIC or is_author:
            names.append(byline.member.display_name)
    return [name for name in dict.fromkeys(names) if name]


@transaction.atomic
def take_back(*, story: Story, by: Member) -> Story:
    """Take one's story from everybody's sight; its words go. Twice is as good as once. Raises NotYours."""
    if story.case.question.asker_id != by.pk:
        raise NotYours
    _erase(Story.objects.filter(pk=story.pk))
    story.refresh_from_db()
    return story


# Deciding


def waiting() -> QuerySet[Story]:
    """What a moderator has to look at, the oldest first."""
    return Story.objects.tellable().filter(state=State.CHECKING).order_by("written_at", "pk")


@transaction.atomic
def publish(*, story: Story, by: User, seen: datetime | None = None) -> Story:
    """Let everybody read a story. `seen` is when what the moderator looked at had been written.

    Raises rights.NotAModerator, OwnStory, NotWaitingAnyMore, SentAgain, NotSolved, StillPrivate, NotAllowed.
    """
    story = _lock_to_decide(story, by, seen, [State.CHECKING])
    _check_may_be_told(story.case)
    story.state, story.checked_at, story.checked_by, story.answer = State.TOLD, timezone.now(), by, ""
    story.save(update_fields=["state", "checked_at", "checked_by", "answer"])
    _note(story, by, PUBLISHED)
    return story


@transaction.atomic
def send_back(*, story: Story, by: User, words: str, seen: datetime | None = None) -> Story:
    """Give a story back to its author with a reason, also one that is published, which then nobody reads.

    Raises rights.NotAModerator, OwnStory, NotWaitingAnyMore, SentAgain, WordsMissing.
    """
    if not words.strip():
        raise WordsMissing
    story = _lock_to_decide(story, by, seen, [State.CHECKING, State.TOLD])
    story.state, story.checked_at, story.checked_by = State.RETURNED, timezone.now(), by
    story.answer = clip(words.strip(), Story._meta.get_field("answer").max_length)
    story.save(update_fields=["state", "checked_at", "checked_by", "answer"])
    _note(story, by, RETURNED)
    return story


def _lock_to_decide(story: Story, by: User, seen: datetime | None, states: list[State]) -> Story:
    rights.check_moderator(by)
    events.lock_chain()
    case = _lock(Case.objects.get(pk=story.case_id))
    found = Story.objects.select_for_update(of=("self",)).get(pk=story.pk)
    found.case = case
    if found.state not in states:
        raise NotWaitingAnyMore
    if by.as_member and case.question.asker_id == by.as_member.pk:
        raise OwnStory
    if seen is not None and seen != found.written_at:
        raise SentAgain
    return found


def _note(story: Story, by: User, deed: str) -> None:
    events.record(kind="moderation_story", by=by, to_state=deed, object=f"story:{story.pk}")
    notices.tell(
        members=[story.case.question.asker_id],
        kind=Kind.MODERATION,
        target=story.case_id,
        about=f"question:{story.case_id}",
        key=f"story:{deed}:{story.pk}:{int(story.checked_at.timestamp())}",
    )


# What ends it


def erase_of(case_ids: Iterable[int]) -> int:
    """Take the stories of cases that are gone from everybody's sight, and their words with them; return how many."""
    return _erase(Story.objects.filter(case__in=list(case_ids)))


def erase_under(consent_id: int) -> int:
    """The same of all cases under a consent that is taken back."""
    return _erase(Story.objects.filter(case__consent=consent_id))


def erase_ended() -> int:
    """The same wherever the consent, or the case, ended without a word about stories: what a clock finds."""
    return _erase(Story.objects.ended())


def return_changed(case_id: int) -> int:
    """Give a story back whose case has another final diagnosis now, or none: it never comes back by itself.

    The discussion is locked.
    """
    out = Story.objects.filter(case=case_id, state__in=[State.CHECKING, State.TOLD])
    return out.update(state=State.RETURNED, answer=CHANGED)


def cut(case_id: int, without) -> None:
    """Take out of a story what a moderator takes out of its case. It waits for a look then, whatever it was before."""
    for story in Story.objects.select_for_update(of=("self",)).filter(case=case_id).exclude(source=""):
        title, source = without(story.title), without(story.source)
        if (title, source) == (story.title, story.source):
            continue
        longest = Story._meta.get_field("title").max_length
        story.title, story.source, story.html = clip(title, longest), source, render_markdown(source)
        story.state = State.RETURNED
        story.answer = "A moderator took words out of the case and out of this story."
        story.save(update_fields=["title", "source", "html", "state", "answer"])


def _erase(stories: QuerySet[Story]) -> int:
    """One statement for each row, which locks it; those that are erased already stay as they are."""
    numbers = stories.exclude(state=State.TAKEN_BACK, source="").order_by("pk").values_list("pk", flat=True)
    return Story.objects.filter(pk__in=list(numbers)).update(
        state=State.TAKEN_BACK, title="", source="", html="", answer=""
    )


# Reading


def excerpt_of(story: Story) -> str:
    return clip(plain(story.html), EXCERPT)


def may_moderate(user: User, story: Story) -> bool:
    """Whether this is a moderator, and the story somebody else's."""
    return is_moderator(user) and story.case.question.asker_id != (
        user.as_member.pk if user.as_member else None
    )
