"""One's own points, line by line, in words. It names days and posts, never who voted nor at which hour."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.humanize.templatetags.humanize import ordinal
from django.urls import reverse

from questions.models import Post
from questions.ranking import Line
from questions.ranking.lines import HELPFUL_A_DAY, PAIR_DAYS, UPHELD_FROM, Unscored

DEEDS = {
    "corroborated": "A colleague corroborated your post",
    "disputed": "A colleague disputed your post",
    "helpful": "A colleague marked your comment helpful",
    "credited": "The asker credited your answer with the solution",
    "important": "Colleagues rated your discussion important",
    "vouch_failed": "Somebody you vouched for was not who they said",
}
WORTH = {"corroborated": 5, "helpful": 1}
FAULTS = {
    "named": "Signed with your real name: rank belongs to the handle.",
    "masked": "Signed with neither name nor handle: rank belongs to the handle.",
    "discounted": (
        "Votes between you and another member are set aside; none of them is listed, "
        "since a list would say who voted."
    ),
    "opening": "Only answers and comments earn by votes.",
    "not_upheld": f"Not upheld: that takes {UPHELD_FROM} disputes, and more than corroborate.",
    "beyond": f"Beyond the first {HELPFUL_A_DAY} of the day.",
    "own": "You credited your own answer.",
    "low_mean": "The mean of the ratings is not above 3, which takes nothing away.",
}
VOUCHING = "Vouching"  # in place of a post
OUT_OF_REACH = "A discussion that is not open to you any more"


@dataclass(frozen=True)
class Entry:
    """One line as it stands on the page. Without a url the post is out of the reader's reach.

    Votes of discounted pairs are one entry with a fault alone.
    """

    day: date | None = None
    deed: str = ""
    title: str = ""
    url: str = ""
    worth: str = ""  # on the day of the deed, with how it came about
    left: str = ""  # of that at the as-of moment, in percent
    points: str = ""
    total: str = ""
    is_loss: bool = False
    fault: str = ""


def entries(lines: list[Line], unscored: list[Unscored], user) -> tuple[list[Entry], list[Entry]]:
    """What counts and what does not, in words, with one query for the posts."""
    posts = _posts({line.post_id for line in [*lines, *unscored] if line.post_id}, user)
    counted = [
        Entry(
            day=line.day,
            deed=DEEDS[line.cause],
            **_target(posts, line.post_id),
            worth=_worth(line),
            left=f"{100 * line.points / line.worth:.1f}%" if line.worth else "",
            points=figure(line.points, signed=True),
            total=figure(line.total),
            is_loss=line.points < 0,
        )
        for line in lines
    ]
    return counted, [_missed(line, posts) for line in unscored]


def _missed(line: Unscored, posts: dict[int, Post]) -> Entry:
    if line.post_id is None:
        return Entry(fault=FAULTS[line.fault])
    return Entry(line.day, DEEDS[line.cause], **_target(posts, line.post_id), fault=FAULTS[line.fault])


def _posts(ids: Iterable[int], user) -> dict[int, Post]:
    rows = Post.objects.visible_to(user).filter(pk__in=ids).select_related("question")
    return {post.pk: post for post in rows.defer("source", "html", "search_text", "search_vector")}


def _target(posts: dict[int, Post], post_id: int) -> dict[str, str]:
    if not post_id:
        return {"title": VOUCHING, "url": reverse("verification:vouches")}
    post = posts.get(post_id)
    if post is None:
        return {"title": OUT_OF_REACH, "url": ""}
    return {"title": post.question.title, "url": post.get_absolute_url()}


def _worth(line: Line) -> str:
    """ "5", "5 / 2 = 2.5 (2nd vote of the same colleague in 30 days)", "2 x (4.2 - 3) x sqrt(9) = 7.2".

    Of a dispute only what it cost: how often the same colleague voted would help to guess who disputed.
    """
    if line.cause == "important":
        root = f"√{line.ratings}"
        return f"2 × ({trimmed(line.mean)} − 3) × {root} = {trimmed(line.worth)}"
    if line.cause == "disputed" or line.nth is None or line.nth == 1:
        return trimmed(line.worth)
    whole = trimmed(Decimal(WORTH[line.cause]))
    return (
        f"{whole} / {line.nth} = {trimmed(line.worth)} "
        f"({ordinal(line.nth)} vote of the same colleague in {PAIR_DAYS} days)"
    )


def figure(points: Decimal, *, signed: bool = False) -> str:
    """All four decimals, so that lines can be added up; the signs of print."""
    sign = "−" if points < 0 else "+" if signed else ""
    return f"{sign}{abs(points):,.4f}"


def trimmed(value: Decimal) -> str:
    """Up to four decimals, and none that say nothing."""
    text = f"{abs(value):.4f}".rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 else text
