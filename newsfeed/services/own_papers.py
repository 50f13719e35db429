"""Members who say that they wrote a paper: under their real name alone, since a paper would name a handle's owner."""

from django.db import transaction

from accounts.models import Face, Member, User
from newsfeed.models import Article, OwnPaper
from sermo.errors import RuleBroken
from verification.names import last_key


class NotUnderYourName(RuleBroken):
    message = (
        "Only members who show their real name can mark a paper: under a handle it would tell who you are."
    )


class NotAnAuthor(RuleBroken):
    message = "Your family name does not stand among its authors."


@transaction.atomic
def mark(*, article: Article, by: Member) -> OwnPaper:
    """Say that one is an author; once is enough. Raises NotUnderYourName, NotAnAuthor."""
    member = Member.objects.select_for_update().get(pk=by.pk)
    if not shows_name(member):
        raise NotUnderYourName
    if not is_among(member.display_name, article.authors):
        raise NotAnAuthor
    return OwnPaper.objects.get_or_create(member=member, article=article)[0]


def unmark(*, article: Article, by: Member) -> None:
    OwnPaper.objects.filter(member=by, article=article).delete()


def may_mark(article: Article, member: Member | None) -> bool:
    return bool(
        member and member.may_write and shows_name(member) and is_among(member.display_name, article.authors)
    )


def shows_name(member: Member) -> bool:
    return member.byline_mode == Member.BylineMode.PUBLIC and bool(member.display_name)


def authors_of(article: Article, user: User) -> list[Member]:
    """Members marked as authors whom this reader may meet under a name that still stands among the authors."""
    rows = Member.objects.visible_to(user, Face.NAME).filter(own_papers__article=article)
    rows = rows.only("display_name", "physician_key").order_by("own_papers__marked_at", "pk")
    return [member for member in rows if is_among(member.display_name, article.authors)]


# Names


def is_among(display_name: str, authors: list[str]) -> bool:
    """Whether the family name shown stands among the authors' family names, whatever the accents and the order."""
    family = family_of_shown(display_name)
    return bool(family) and any(family in family_keys(author) for author in authors)


def family_of_shown(display_name: str) -> str:
    """The last word of "Anna de la Torre, MD"."""
    words = _without_endings(display_name.partition(",")[0].split())
    return last_key(words[-1]) if words else ""


def family_keys(author: str) -> set[str]:
    """What may be the family name in "Jane A. Doe", "Doe JA" or "Doe, Jane": its words, and all of them as one."""
    before, comma, after = author.partition(",")
    words = before.split()
    is_inverted = comma and _without_endings(["x", *after.split()]) != ["x"]
    if not is_inverted:
        words = _without_endings(words)
        if len(words) > 1:
            words = words[:-1] if _are_initials(words[-1]) else words[1:]
    return {key for key in (*map(last_key, words), last_key(" ".join(words))) if key}


def _are_initials(word: str) -> bool:
    letters = word.replace(".", "").replace("-", "")
    return letters.isupper() and len(letters) <= 3


def _without_endings(words: list[str]) -> list[str]:
    """Without what adds nothing to a name, such as Jr or MD."""
    while len(words) > 1 and last_key(f"x {words[-1]}") == "x":
        words = words[:-1]
    return words
