"""The one discussion of an article: made by the first press of a button, found by all later ones."""

from django.db import transaction
from django.utils.dateformat import format as date_format
from django.utils.timezone import localtime

from accounts.models import Specialty, User
from newsfeed.models import Article, Discussion
from newsfeed.services.house import house
from questions.models import Post, Question
from questions.services import writing
from questions.services.house import open_for_house
from sermo.errors import RuleBroken
from sermo.text import clip

MOST_SPECIALTIES = 3
USUAL_SPECIALTY = "internal-medicine"  # of what has none of its own
LONGEST_TITLE = Question._meta.get_field("title").max_length
MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in r"\`*_{}[]()#+!|<>~"})


class NotInTheNews(RuleBroken):
    message = "This article is not in the news any more."


@transaction.atomic
def discuss(*, article: Article, user: User) -> Discussion:
    """Make or find the discussion of an article that the reader may see. Nothing of who asked is kept.

    Raises NotInTheNews.
    """
    locked = Article.objects.visible_to(user).select_for_update(of=("self",)).filter(pk=article.pk).first()
    if locked is None:
        raise NotInTheNews
    return thread_of(locked)


def thread_of(article: Article) -> Discussion:
    """The discussion of a locked article, made where there is none."""
    if found := Discussion.objects.select_related("question").filter(article=article).first():
        return found
    question = open_for_house(
        house=house(),
        kind=Question.Kind.ARTICLE,
        title=title_for(article),
        source=opening_for(article),
        specialties=_specialties(article),
    )
    return Discussion.objects.create(question=question, article=article)


@transaction.atomic
def carry_over(article: Article) -> None:
    """Carry what changed in an article into its discussion, where that is open and no moderator took words out."""
    opening = Post.objects.filter(question__discussion__article=article, kind=Post.Kind.OPENING)
    opening = opening.select_related("question").first()
    if opening and opening.question.is_open and not writing.is_redacted(opening):
        writing.edit_post(post=opening, by=house(), source=opening_for(article), title=title_for(article))


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
        parts.append(f"doi:{article.doi}")
    elif article.pmid:
        parts.append(f"PMID {article.pmid}")
    return ", ".join(parts)


def _plainly(words: str) -> str:
    """Words from outside, with nothing in them that Markdown would read."""
    return " ".join(words.split()).translate(MARKDOWN)


def _specialties(article: Article) -> list[Specialty]:
    tags = article.tags.filter(is_off=False, specialty__is_choice=True).select_related("specialty")
    found = [tag.specialty for tag in tags.order_by("pk")[:MOST_SPECIALTIES]]
    return found or list(Specialty.objects.filter(slug=USUAL_SPECIALTY, is_choice=True))
