"""Where news comes from: journals, regulators and meetings, each with the feeds it can be read by."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Specialty


class Region(models.TextChoices):
    """What part of the world a piece of news concerns. Empty: all of it."""

    US = "us", "United States"
    CA = "ca", "Canada"
    UK = "uk", "United Kingdom"
    EU = "eu", "Europe"


class Source(models.Model):
    """A journal, a regulator, a preprint server, or the news of a society and its meetings.

    Of a general one no article has a specialty unless a rule gives it one. Abstracts are kept only where the license
    of the source allows it.
    """

    class Kind(models.TextChoices):
        JOURNAL = "journal", "Journal"
        PREPRINTS = "preprints", "Preprint server"
        REGULATOR = "regulator", "Regulator"
        MEETINGS = "meetings", "Meetings and societies"

    class Item(models.TextChoices):
        ARTICLE = "article", "Articles"
        PREPRINT = "preprint", "Preprints"
        ALERT = "alert", "Safety alerts"
        NEWS = "news", "News"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=160, unique=True)
    short_name = models.CharField(max_length=60)
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.JOURNAL)
    item_kind = models.CharField(
        "usually publishes", max_length=8, choices=Item, default=Item.ARTICLE
    )  # what its items are unless they say otherwise
    home = models.URLField(max_length=300, blank=True)
    nlm_id = models.CharField("NLM id", max_length=12, blank=True)
    e_issn = models.CharField("electronic ISSN", max_length=9, blank=True)
    specialties = models.ManyToManyField(Specialty, blank=True, related_name="news_sources")
    is_general = models.BooleanField("general medicine", default=False)
    region = models.CharField(max_length=2, choices=Region, blank=True)
    language = models.CharField(max_length=3, default="en")
    license = models.CharField(max_length=60, blank=True)  # as the source names it, such as CC BY 4.0
    shows_abstracts = models.BooleanField(default=False)
    is_on = models.BooleanField("read", default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["journal", "preprints", "regulator", "meetings"]),
                name="news_source_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(item_kind__in=["article", "preprint", "alert", "news"]),
                name="news_source_item_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(region__in=["", "us", "ca", "uk", "eu"]), name="news_source_region_is_known"
            ),
            models.CheckConstraint(
                condition=Q(shows_abstracts=False) | ~Q(license=""), name="news_abstracts_have_a_license"
            ),
            models.UniqueConstraint(fields=["nlm_id"], condition=~Q(nlm_id=""), name="news_source_nlm_once"),
            models.UniqueConstraint(
                fields=["e_issn"], condition=~Q(e_issn=""), name="news_source_e_issn_once"
            ),
        ]

    def __str__(self):
        return self.name


class FeedQuerySet(models.QuerySet):
    def on(self):
        return self.filter(is_on=True, source__is_on=True)


class Feed(models.Model):
    """One way to read a source. The first that works is read; a later one steps in while those before it fail.

    One `beside` the others has what they have not, such as what is online ahead of an issue or of one specialty: it is
    read as well, and stands in for none.
    """

    class Kind(models.TextChoices):
        FEED = "feed", "RSS or Atom"
        PUBMED = "pubmed", "PubMed, by NLM id"
        CROSSREF = "crossref", "Crossref, by electronic ISSN"

    class Status(models.TextChoices):
        NEW = "new", "Not checked yet"
        OK = "ok", "Read"
        UNCHANGED = "unchanged", "Nothing new"
        FAILING = "failing", "Failing"
        DISABLED = "disabled", "Disabled"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="feeds")
    place = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.FEED)
    address = models.CharField(max_length=600)  # a URL, an NLM id, or an ISSN
    is_on = models.BooleanField("read", default=True)
    is_beside = models.BooleanField("read beside the others", default=False)
    specialties = models.ManyToManyField(
        Specialty, blank=True, related_name="+"
    )  # of its items, besides those of its source

    status = models.CharField(max_length=9, choices=Status, default=Status.NEW)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)  # of HTTP, the last
    error = models.CharField(max_length=300, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    checked_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)  # the last success
    next_at = models.DateTimeField(default=timezone.now)
    disabled_at = models.DateTimeField(null=True, blank=True)

    validated_address = models.CharField(max_length=600, blank=True)  # whose the two below are
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=60, blank=True)
    moved_to = models.CharField(
        max_length=600, blank=True
    )  # where it was permanently sent on to, the last time
    entries_per_week = models.FloatField(default=0)
    last_entries = models.PositiveSmallIntegerField(default=0)  # in the last answer that was read

    objects = FeedQuerySet.as_manager()

    class Meta:
        ordering = ["source", "place"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "place"], name="news_feed_place_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.UniqueConstraint(fields=["kind", "address"], name="news_feed_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["feed", "pubmed", "crossref"]), name="news_feed_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["new", "ok", "unchanged", "failing", "disabled"]),
                name="news_feed_status_is_known",
            ),
            models.CheckConstraint(
                condition=(Q(status="disabled") & Q(disabled_at__isnull=False))
                | (~Q(status="disabled") & Q(disabled_at=None)),
                name="news_feed_disabled_with_moment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at"], condition=Q(is_on=True) & ~Q(status="disabled"), name="news_feed_due"
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.address}"


class Host(models.Model):
    """A host that asked to be left alone for a while (Retry-After). None of its feeds is fetched before that."""

    name = models.CharField(max_length=253, primary_key=True)
    parked_until = models.DateTimeField()
    why = models.CharField(max_length=100, blank=True)

    class Meta:
        default_permissions = ("view", "delete")

    def __str__(self):
        return self.name


class MappingRule(models.Model):
    """What makes an article belong to a specialty, or concern a region: a section, a category, a MeSH term, a word.

    The pattern is in lower case. A keyword matches whole words of the title; all others match as a whole.
    """

    class Where(models.TextChoices):
        SECTION = "section", "Section"
        CATEGORY = "category", "Category"
        MESH = "mesh", "MeSH term"
        KEYWORD = "keyword", "Word in the title"

    where = models.CharField(max_length=8, choices=Where)
    pattern = models.CharField(max_length=120)
    specialty = models.ForeignKey(
        Specialty, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    region = models.CharField(max_length=2, choices=Region, blank=True)
    is_on = models.BooleanField("applied", default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["where", "pattern", "specialty", "region"],
                name="news_rule_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(where__in=["section", "category", "mesh", "keyword"]),
                name="news_rule_where_is_known",
            ),
            models.CheckConstraint(
                condition=Q(region__in=["", "us", "ca", "uk", "eu"]), name="news_rule_region_is_known"
            ),
            models.CheckConstraint(
                condition=Q(specialty__isnull=False, region="") | (Q(specialty=None) & ~Q(region="")),
                name="news_rule_gives_one_thing",
            ),
        ]

    def __str__(self):
        return f"{self.where} {self.pattern}"
