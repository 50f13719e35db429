"""The one discussion of an article: made by the first press of a button, found by all later ones."""

from contextlib import suppress

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.dateformat import format as date_format
from django.utils.timezone import localtime

from accounts.models import Specialty, User
from newsfeed.models import Article, Discussion
from newsfeed.services.house import house
from questions.models import Question, Tag, WriteCount
from questions.services import limits
from questions.services.house import close_for_house, open_for_house, reopen_for_house, rewrite_for_house
from questions.services.writing import MOST_TAGS
from sermo.errors import RuleBroken
from sermo.text import clip

MOST_SPECIALTIES = 3
USUAL_SPECIALTY = "internal-medicine"  # of what has none of its own
LONGEST_TITLE = Question._meta.get_field("title").max_length
MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in r"\`*_{}[]()#+!|<>~"})


class NotInTheNews(RuleBroken):
    message = "This article is not in the news any more."


class ClosedByModerator(RuleBroken):
    message = (
        "A moderator closed the discussion of this article. It stays readable; nobody can comment any more."
    )


class RemovedByModerator(RuleBroken):
    message = "A moderator removed the discussion of this article."


@transaction.atomic
def discuss(*, article: Article, user: User) -> Discussion:
    """Make or find the discussion of an article that the reader may see. Of who asked it is only counted that they
    wrote something that day, if it is made.

    Raises NotInTheNews, ClosedByModerator, RemovedByModerator, limits.Held, limits.TooManyToday.
    """
    rows = Article.objects.visible_to(user).select_for_update(no_key=True, of=("self",))
    locked = rows.filter(pk=article.pk).first()  # others may refer to it meanwhile, as who saves it does
    if locked is None:
        raise NotInTheNews
    if found := _found(locked):
        _check_open(found.question)
    elif member := user.as_member:
        limits.count_write(member, WriteCount.What.COMMENT)
    return found or _make(locked)


def _check_open(question: Question) -> None:
    if question.is_removed:
        raise RemovedByModerator
    if not question.is_open:
        raise ClosedByModerator


def thread_of(article: Article) -> Discussion:
    """The discussion of a locked article, made where there is none."""
    return _found(article) or _make(article)


def _found(article: Article) -> Discussion | None:
    return Discussion.objects.select_related("question").filter(article=article).first()


def _make(article: Article) -> Discussion:
    question = open_for_house(house=house(), kind=Question.Kind.ARTICLE, **_said_of(article))
    return Discussion.objects.create(question=question, article=article)


@transaction.atomic
def carry_over(article: Article) -> None:
    """Carry what changed in an article into its discussion, where that is open: its title and opening, unless a
    moderator took words out, its specialties and tags. One query where there is none.
    """
    if (found := _found(article)) and found.question.is_open:
        rewrite_for_house(question=found.question, house=house(), **_said_of(article))


@transaction.atomic
def withdraw(article: Article) -> None:
    """Close the discussion of an article that was taken out of the news to new words. One query where there is none."""
    if found := _found(article):
        close_for_house(question=found.question)


@transaction.atomic
def bring_back(article: Article) -> None:
    """Open again what `withdraw` closed, as the article is now; what a moderator closed, or was paid for, stays so."""
    if found := _found(article):
        with suppress(RuleBroken), transaction.atomic():
            reopen_for_house(question=found.question)
        found.question.refresh_from_db()
        if found.question.is_open:
            rewrite_for_house(question=found.question, house=house(), **_said_of(article))


def _said_of(article: Article) -> dict:
    return {
        "title": title_for(article),
        "source": opening_for(article),
        "specialties": _specialties(article),
        "tags": _tags(article),
    }


def title_for(article: Article) -> str:
    return clip(article.title, LONGEST_TITLE)


def opening_for(article: Article) -> str:
    """What the thread starts from: where the work appeared, when, and its number; of our own posts the key points."""
    if article.is_ours:
        return "\n\n".join(["From the editors of Sermo.", *map(_plainly, article.lines)])
    where = article.journal or article.source.name
    parts = [_plainly(where)]
    if article.published_at:
        parts.append(date_format(localtime(article.published_at), "F j, Y"))
    if article.doi:
        parts.append(f"doi:{_plainly(article.doi)}")
    if article.pmid:
        parts.append(f"PMID {article.pmid}")
    return ", ".join(parts)


def _plainly(words: str) -> str:
    """Words from outside, with nothing in them that Markdown would read."""
    return " ".join(words.split()).translate(MARKDOWN)


def _specialties(article: Article) -> list[Specialty]:
    tags = article.tags.filter(is_off=False, specialty__is_choice=True).select_related("specialty")
    found = [tag.specialty for tag in tags.order_by("pk")[:MOST_SPECIALTIES]]
    return found or list(Specialty.objects.filter(slug=USUAL_SPECIALTY, is_choice=True))


def _tags(article: Article) -> list[Tag]:
    """Those in its words that stand on a discussion open to all physicians: of others nobody is to learn from here."""
    met = Question.objects.listed().filter(audience=Question.Audience.PHYSICIANS)
    met = met.exclude(kind=Question.Kind.ARTICLE).filter(tags=OuterRef("pk"))
    rows = Tag.objects.filter(Exists(met), pk__in=article.topics.values("tag"), merged_into=None)
    return list(rows.order_by("name")[:MOST_TAGS])
