"""What the news is made of: one article a work, wherever it was seen."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.models import Specialty
from accounts.roles import is_moderator
from newsfeed.models.sources import Feed, Region, Source
from questions.models import Tag

MOST_LINES = 3  # of a summary


class ArticleQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The one gate between a person and the news: verified physicians and moderators, and what is listed."""
        member = user.as_member if user.is_authenticated else None
        if is_moderator(user) or (member and member.may_read):
            return self.listed()
        return self.none()

    def listed(self):
        return self.filter(state=Article.State.LISTED)


class Article(models.Model):
    """One work, or one piece of news.

    Known by its DOI (lower case, no version), else its PMID, else its address without what varies (`url_key`), else by
    where it was seen. `shown_at` orders all lists and never changes: when it was published, or first seen where that
    is unknown, impossible or later. A removed article stays as a row, so that no feed brings it back.
    """

    class Kind(models.TextChoices):
        ARTICLE = "article", "Article"
        PREPRINT = "preprint", "Preprint"
        GUIDELINE = "guideline", "Guideline"
        CORRECTION = "correction", "Correction"
        RETRACTION = "retraction", "Retraction"
        ALERT = "alert", "Safety alert"
        NEWS = "news", "News"
        SERMO = "sermo", "From Sermo"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"  # of an editors' post
        LISTED = "listed", "Listed"
        REMOVED = "removed", "Removed"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ARTICLE)
    state = models.CharField(max_length=7, choices=State, default=State.LISTED)
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, null=True, blank=True, related_name="articles"
    )  # none: the editors of this site
    doi = models.CharField("DOI", max_length=200, null=True, blank=True, unique=True)
    pmid = models.BigIntegerField("PMID", null=True, blank=True, unique=True)
    url_key = models.CharField(max_length=600, null=True, blank=True, unique=True, editable=False)
    link = models.CharField(max_length=1000, blank=True)  # http or https; empty for editors' posts

    title = models.CharField(max_length=500)
    authors = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    journal = models.CharField(max_length=200, blank=True)  # where it appeared, if not in its source
    section = models.CharField(max_length=120, blank=True)
    version = models.PositiveSmallIntegerField(default=1)  # of a preprint
    abstract = models.TextField(blank=True)  # safe HTML, only where the source allows it
    lines = ArrayField(
        models.CharField(max_length=160), default=list, blank=True
    )  # by editors, the key point first
    body = models.TextField(blank=True)  # Markdown, of an editors' post
    body_html = models.TextField(blank=True, editable=False)
    minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False
    )  # to read what is shown here
    language = models.CharField(max_length=3, default="en")
    region = models.CharField(max_length=2, choices=Region, blank=True)
    region_why = models.CharField(max_length=160, blank=True)
    terms = models.JSONField(
        default=dict, blank=True, editable=False
    )  # {"sections": [], "categories": [], "mesh": [], "keywords": []}, as the feeds have them; for mapping anew
    is_general = models.BooleanField(default=False)  # no specialty of its own

    published_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    shown_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(null=True, blank=True)  # when title, authors or abstract last did
    edited_by_hand = models.BooleanField(default=False)  # feeds change title and kind no more

    search_text = models.TextField(blank=True, editable=False)
    search_vector = models.GeneratedField(
        expression=SearchVector("search_text", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    specialties = models.ManyToManyField(Specialty, through="ArticleSpecialty", related_name="+")

    objects = ArticleQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "change", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("article", "preprint", "guideline", "correction"),
                        *("retraction", "alert", "news", "sermo"),
                    ]
                ),
                name="article_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "listed", "removed"]), name="article_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(region__in=["", "us", "ca", "uk", "eu"]), name="article_region_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="sermo", source=None) | (~Q(kind="sermo") & Q(source__isnull=False)),
                name="article_has_a_source_or_is_ours",
            ),
            models.CheckConstraint(
                condition=~Q(state="draft") | Q(kind="sermo"), name="article_draft_is_ours"
            ),
            models.CheckConstraint(
                condition=Q(doi=None) | Q(doi=Lower("doi")), name="article_doi_is_lower_case"
            ),
            models.CheckConstraint(
                condition=Q(lines__len__lte=MOST_LINES), name="article_at_most_three_lines"
            ),
            models.CheckConstraint(
                condition=Q(shown_at__lte=F("first_seen_at")), name="article_shown_from_first_seen"
            ),
        ]
        indexes = [
            models.Index(
                F("shown_at").desc(), F("id").desc(), condition=Q(state="listed"), name="article_newest"
            ),
            models.Index(
                F("source"),
                F("shown_at").desc(),
                F("id").desc(),
                condition=Q(state="listed"),
                name="article_by_source",
            ),
            models.Index(
                F("region"),
                F("shown_at").desc(),
                F("id").desc(),
                condition=Q(state="listed") & ~Q(region=""),
                name="article_by_region",
            ),
            models.Index(
                F("kind"),
                F("shown_at").desc(),
                F("id").desc(),
                condition=Q(state="listed") & ~Q(kind="article"),
                name="article_by_kind",
            ),
            models.Index(
                F("shown_at").desc(),
                F("id").desc(),
                condition=Q(state="listed", is_general=True),
                name="article_general",
            ),
            GinIndex(fields=["search_vector"], name="article_search"),
        ]

    def __str__(self):
        return f"article {self.pk}"

    def get_absolute_url(self):
        return reverse("newsfeed:article", args=[self.pk])

    @property
    def is_ours(self):
        return self.kind == self.Kind.SERMO


class ArticleSource(models.Model):
    """Where an article was seen: under which guid of which feed. A guid that one feed gives to several pages has the
    page's address behind it, see `newsfeed.services.ingesting`.
    """

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="sightings")
    guid = models.CharField(max_length=700)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="sightings")
    url = models.CharField(max_length=1000, blank=True)
    content_hash = models.CharField(max_length=64)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["feed", "guid"], name="article_source_once")]
        indexes = [models.Index(fields=["feed", "-seen_at"], name="article_source_lately")]

    def __str__(self):
        return f"{self.feed_id}: {self.guid}"


class Relation(models.Model):
    """What an article says about another work, known by its DOI whether or not it is here yet."""

    class Kind(models.TextChoices):
        ABOUT = "about", "About"
        CORRECTS = "corrects", "Corrects"
        RETRACTS = "retracts", "Retracts"
        PREPRINT_OF = "preprint", "Preprint of"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="relations")
    kind = models.CharField(max_length=8, choices=Kind)
    doi = models.CharField(max_length=200)
    related = models.ForeignKey(Article, on_delete=models.SET_NULL, null=True, related_name="related_by")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["article", "kind", "doi"], name="article_relation_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["about", "corrects", "retracts", "preprint"]),
                name="article_relation_is_known",
            ),
        ]
        indexes = [models.Index(fields=["doi"], condition=Q(related=None), name="article_relation_waiting")]

    def __str__(self):
        return f"{self.article_id} {self.kind} {self.doi}"


class ArticleSpecialty(models.Model):
    """A specialty of an article, and why. What a person said stays, also that it is none (`is_off`)."""

    class How(models.TextChoices):
        FEED = "feed", "By its source"
        RULE = "rule", "By a rule"
        PERSON = "person", "By an editor"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="tags")
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=6, choices=How)
    why = models.CharField(max_length=160, blank=True)  # such as: section “Cardiovascular Medicine”
    is_off = models.BooleanField(default=False)
    shown_at = models.DateTimeField()  # the article's, for lists

    class Meta:
        default_permissions = ()
        verbose_name_plural = "article specialties"
        constraints = [
            models.UniqueConstraint(fields=["article", "specialty"], name="article_specialty_once"),
            models.CheckConstraint(
                condition=Q(how__in=["feed", "rule", "person"]), name="article_specialty_how_is_known"
            ),
            models.CheckConstraint(
                condition=Q(is_off=False) | Q(how="person"), name="article_specialty_off_by_a_person"
            ),
        ]
        indexes = [
            models.Index(
                F("specialty"),
                F("shown_at").desc(),
                F("article").desc(),
                condition=Q(is_off=False),
                name="article_specialty_newest",
            )
        ]

    def __str__(self):
        return f"{self.article_id}: {self.specialty_id}"


class ArticleTopic(models.Model):
    """A tag of the discussions whose words stand in an article's title or keywords: for those who follow it."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="topics")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+")
    shown_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["article", "tag"], name="article_topic_once")]
        indexes = [
            models.Index(F("tag"), F("shown_at").desc(), F("article").desc(), name="article_topic_newest")
        ]

    def __str__(self):
        return f"{self.article_id}: {self.tag_id}"
