"""Members who say that they wrote a paper: under their real name alone, since a paper would name a handle's owner."""

from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models import Face, Member, User
from accounts.roles import is_moderator
from newsfeed.models import Article, OwnPaper
from sermo.errors import RuleBroken
from verification.names import first_key, last_key
from verification.services import events


class NotUnderYourName(RuleBroken):
    message = (
        "Only members who show their real name can mark a paper: under a handle it would tell who you are."
    )


class NotAnAuthor(RuleBroken):
    message = "Your name does not stand among its authors."


class NotAModerator(RuleBroken):
    message = "Only moderators take the marks of others off."


@transaction.atomic
def mark(*, article: Article, by: Member) -> OwnPaper:
    """Say that one is an author; once is enough. Raises NotUnderYourName, NotAnAuthor."""
    member = Member.objects.select_for_update(no_key=True).get(pk=by.pk)
    if not shows_name(member):
        raise NotUnderYourName
    if not is_among(member.display_name, article.authors):
        raise NotAnAuthor
    return OwnPaper.objects.get_or_create(member=member, article=article)[0]


def unmark(*, article: Article, by: Member) -> None:
    OwnPaper.objects.filter(member=by, article=article).delete()


@transaction.atomic
def take_off(*, article: Article, physician_key: str, by: User) -> None:
    """Take a mark off as a moderator, which leaves an event. Twice is as good as once. Raises NotAModerator."""
    if not is_moderator(by):
        raise NotAModerator
    events.lock_chain()
    if OwnPaper.objects.filter(member__physician_key=physician_key, article=article).delete()[0]:
        events.record(kind="own_paper_taken_off", by=by, object=f"article:{article.pk}")


def may_mark(article: Article, member: Member | None) -> bool:
    return bool(
        member and member.may_write and shows_name(member) and is_among(member.display_name, article.authors)
    )


def shows_name(member: Member) -> bool:
    return member.byline_mode == Member.BylineMode.PUBLIC and bool(member.display_name)


class Marks(NamedTuple):
    """`authors`: those of a paper whom a reader meets by name. `is_mine`: the reader has marked it, shown or not."""

    authors: list[Member]
    is_mine: bool


def marks_of(article: Article, user: User) -> Marks:
    """Who is marked as an author, and may be met under a name that still stands among the authors. One query."""
    met = Member.objects.visible_to(user, Face.NAME).filter(pk=OuterRef("member"))
    rows = OwnPaper.objects.filter(article=article).select_related("member").annotate(is_met=Exists(met))
    rows = rows.filter(Q(is_met=True) | Q(member=user.as_member)).order_by("marked_at", "pk")
    shown = [row.member for row in rows if row.is_met]
    return Marks(
        [member for member in shown if is_among(member.display_name, article.authors)],
        any(row.member == user.as_member for row in rows),
    )


# Names


class Author(NamedTuple):
    """What may be the family name, and the first letter of the given one; empty where only a family name stands."""

    families: set[str]
    initial: str


def is_among(display_name: str, authors: list[str]) -> bool:
    """Whether the family name shown stands among the authors' family names, whatever the accents and the order, with
    the same first initial where the author has one.
    """
    words = _without_endings(display_name.partition(",")[0].split())
    family = last_key(words[-1]) if words else ""
    initial = first_key(words[0])[:1] if len(words) > 1 else ""
    found = map(author_of, authors)
    return bool(family) and any(
        family in one.families and (not initial or one.initial in ("", initial)) for one in found
    )


def author_of(written: str) -> Author:
    """The names in "Jane A. Doe", "Doe JA" or "Doe, Jane". Of "de la Torre" each word, and all as one, may be meant."""
    before, comma, after = written.partition(",")
    words, given = before.split(), ""
    is_inverted = comma and _without_endings(["x", *after.split()]) != ["x"]
    if is_inverted:
        given = after
    else:
        words = _without_endings(words)
        if len(words) > 1:
            words, given = (words[:-1], words[-1]) if _are_initials(words[-1]) else (words[1:], words[0])
    keys = {key for key in (*map(last_key, words), last_key(" ".join(words))) if key}
    return Author(keys, first_key(given)[:1])


def _are_initials(word: str) -> bool:
    letters = word.replace(".", "").replace("-", "")
    return letters.isupper() and len(letters) <= 3


def _without_endings(words: list[str]) -> list[str]:
    """Without what adds nothing to a name, such as Jr or MD."""
    while len(words) > 1 and last_key(f"x {words[-1]}") == "x":
        words = words[:-1]
    return words
