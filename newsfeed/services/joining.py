"""Two articles that turn out to be one work."""

import structlog

from newsfeed.models import (
    Article,
    ArticleSpecialty,
    ArticleTopic,
    Discussion,
    LogEntry,
    OwnPaper,
    ReadMark,
    Relation,
    SavedArticle,
)
from newsfeed.services.mapping import BY_EDITOR

log = structlog.get_logger(__name__)

LONGEST_LOGGED = 600  # minutes
LONGEST_REFLECTION = 1000


def join(article: Article, other: Article) -> Article | None:
    """Make one of two articles; all that members did with either is kept.

    Both are locked against whoever would save, log or discuss one meanwhile. The one with a discussion stays, else the
    one seen first. If both have one, both stay as they are: two threads cannot become one.
    """
    both = list(Article.objects.filter(pk__in=[article.pk, other.pk]).order_by("pk").select_for_update())
    discussed = set(Discussion.objects.filter(article__in=both).values_list("article_id", flat=True))
    if len(discussed) == 2:
        log.warning("one_work_discussed_twice", article=article.pk, other=other.pk)
        return None
    keep, gone = sorted(both, key=lambda one: (one.pk not in discussed, one.first_seen_at, one.pk))
    gone.sightings.update(article=keep)
    _move_tags(keep, gone)
    _move_relations(keep, gone)
    _move_log(keep, gone)
    for model in (SavedArticle, ReadMark, OwnPaper):
        theirs = model.objects.filter(article=gone)
        theirs.exclude(member__in=model.objects.filter(article=keep).values("member")).update(article=keep)
    taken = {name: getattr(gone, name) for name in ("doi", "pmid", "url_key")}
    Article.objects.filter(pk=gone.pk).delete()
    _fill(keep, gone, taken)
    keep.save()
    log.info("articles_joined", article=keep.pk, gone=gone.pk)
    return keep


def _move_tags(keep: Article, gone: Article) -> None:
    """What a person said of either beats what a rule or feed gave."""
    mine = {tag.specialty_id: tag for tag in keep.tags.all()}
    for tag in gone.tags.all():
        own = mine.get(tag.specialty_id)
        by_person = tag.how == ArticleSpecialty.How.PERSON
        if own and (own.how == ArticleSpecialty.How.PERSON or not by_person):
            continue
        if own:
            own.delete()
        tag.article, tag.shown_at = keep, keep.shown_at
        tag.save(update_fields=["article", "shown_at"])
    new = gone.topics.exclude(tag__in=ArticleTopic.objects.filter(article=keep).values("tag"))
    new.update(article=keep, shown_at=keep.shown_at)


def _move_relations(keep: Article, gone: Article) -> None:
    said = set(keep.relations.values_list("kind", "doi"))
    for relation in gone.relations.all():
        if (relation.kind, relation.doi) not in said and relation.doi not in (keep.doi, gone.doi):
            Relation.objects.filter(pk=relation.pk).update(article=keep)
    Relation.objects.filter(related=gone).update(related=keep)


def _move_log(keep: Article, gone: Article) -> None:
    """A member who logged both logged one work, in two sittings."""
    mine = {entry.member_id: entry for entry in LogEntry.objects.filter(article=keep)}
    for entry in LogEntry.objects.filter(article=gone):
        own = mine.get(entry.member_id)
        if own is None:
            LogEntry.objects.filter(pk=entry.pk).update(article=keep)
            continue
        own.minutes = min(own.minutes + entry.minutes, LONGEST_LOGGED)
        both = [text for text in (own.reflection, entry.reflection) if text]
        own.reflection = "\n".join(dict.fromkeys(both))[:LONGEST_REFLECTION]
        own.done_on = max(own.done_on, entry.done_on)
        own.save(update_fields=["minutes", "reflection", "done_on"])
        entry.delete()


def _fill(keep: Article, gone: Article, taken: dict) -> None:
    """What the one that stays lacks, and what editors did with the other. A work that was removed stays removed."""
    for name, value in taken.items():
        if getattr(keep, name) is None:
            setattr(keep, name, value)
    for name in ("authors", "journal", "section", "abstract", "link", "published_at", "lines", "minutes"):
        if not getattr(keep, name):
            setattr(keep, name, getattr(gone, name))
    if gone.version > keep.version:
        keep.version, keep.abstract = gone.version, gone.abstract or keep.abstract
        keep.title = keep.title if keep.edited_by_hand else gone.title
    if gone.edited_by_hand and not keep.edited_by_hand:
        keep.title, keep.kind, keep.edited_by_hand = gone.title, gone.kind, True
    if gone.region_why == BY_EDITOR and keep.region_why != BY_EDITOR:
        keep.region, keep.region_why = gone.region, BY_EDITOR
    keep.terms = {
        name: list(dict.fromkeys([*keep.terms.get(name, []), *gone.terms.get(name, [])]))
        for name in {*keep.terms, *gone.terms}
    }
    if gone.state == Article.State.REMOVED:
        keep.state = Article.State.REMOVED
