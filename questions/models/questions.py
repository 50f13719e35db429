"""The discussion: what members talk about under one title."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import Block, Connection, Face, Follow, Member, Specialty
from accounts.roles import is_moderator
from questions.models import openness
from questions.words import words_of


class TagQuerySet(models.QuerySet):
    def met_by(self, user):
        """Tags that a reader meets: on a discussion they may see, merged by moderators, or followed or muted.

        One that stands only where the reader may not look is as if it were not there.
        """
        from questions.models.following import TopicFollow, TopicMute

        readable = Question.objects.visible_to(user).listed()
        own = {"member": user.as_member, "tag": OuterRef("pk")}
        merged = Q(merged_into__isnull=False) | Exists(Tag.objects.filter(merged_into=OuterRef("pk")))
        met = merged | Exists(readable.filter(tags=OuterRef("pk")))
        if user.as_member:
            met |= Exists(TopicFollow.objects.filter(**own)) | Exists(TopicMute.objects.filter(**own))
        return self.filter(met)


class Tag(models.Model):
    """A topic in members' words."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)
    merged_into = models.ForeignKey(  # a synonym: nothing is tagged with it, and its address leads there
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="synonyms"
    )

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")), name="tag_not_merged_into_itself"
            )
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("questions:tag", args=[self.slug])


class QuestionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The one gate between a person and a discussion.

        Physicians see what is addressed to all, to their specialty, to the asker's connections if they are one, to
        colleagues invited by name if they are one, or is their own; moderators see everything, also what was removed;
        nobody else sees anything.
        """
        if is_moderator(user):
            return self
        member = user.as_member if user.is_authenticated else None
        if not member or not member.may_read:
            return self.none()
        return self.exclude(status=Question.Status.REMOVED).filter(self._addressed_to(member))

    def open_to(self, firm):
        """The one gate between a firm that observes and a discussion, see `questions.models.openness`."""
        return self.filter(openness.of_questions(firm))

    def addressed_to(self, member: Member):
        """What is put to a member as a reader, which for moderators is less than they may see."""
        return self.filter(self._addressed_to(member))

    def _addressed_to(self, member: Member) -> Q:
        from questions.models.invitations import Invitation

        connected = Connection.objects.accepted().others(member)
        invited = Invitation.objects.standing().filter(question=OuterRef("pk"), member=member)
        parted = Block.objects.parting_handles(member)
        reached = (
            Q(audience=Question.Audience.PHYSICIANS)
            | Q(asker=member)
            | Q(audience=Question.Audience.CONNECTIONS, asker__in=connected)
            | (Q(audience=Question.Audience.INVITED) & Exists(invited) & ~Q(asker__in=parted))
        )
        if not member.specialty_id:
            return reached
        within = QuestionSpecialty.objects.filter(question=OuterRef("pk"), specialty=member.specialty_id)
        return reached | (Q(audience=Question.Audience.SPECIALTY) & Exists(within))

    def besides_blocked(self, member: Member | None):
        """Without what members ask whom this one has blocked, as far as they ask under the face that was blocked."""
        from questions.models.posts import Byline

        if member is None:
            return self
        blocked = Block.objects.filter(blocker=member)
        handles = blocked.filter(blocked_face=Face.HANDLE).values("blocked")
        names = blocked.filter(blocked_face=Face.NAME).values("blocked")
        return self._with_asker_mode().exclude(
            Q(asker__in=handles, asker_mode__in=Byline.UNDER_HANDLE)
            | Q(asker__in=names, asker_mode=Byline.Mode.PUBLIC)
        )

    def followed_by(self, member: Member):
        """What a member follows: topics, discussions, and what followed handles ask under the handle.

        What the same colleagues ask under their name, or under neither, never comes with the handle.
        """
        from questions.models.following import Subscription, TopicFollow
        from questions.models.posts import Byline

        topics = TopicFollow.objects.filter(member=member)
        within = QuestionSpecialty.objects.filter(question=OuterRef("pk"))
        tagged = Question.tags.through.objects.filter(question=OuterRef("pk"))
        handles = Follow.objects.filter(follower=member).values("followed")
        own = Subscription.objects.filter(member=member)
        muted = own.filter(level=Subscription.Level.MUTED)
        rows = self._with_asker_mode().filter(
            Exists(within.filter(specialty__in=topics.filter(tag=None).values("specialty")))
            | Exists(tagged.filter(tag__in=topics.filter(specialty=None).values("tag")))
            | Q(asker__in=handles, asker_mode__in=Byline.UNDER_HANDLE)
            | Q(pk__in=own.values("question"))
        )
        return rows.exclude(pk__in=muted.values("question"))

    def besides_muted(self, member: Member | None, but=None):
        """Without discussions under a topic that this member muted, but for one's own and those of the topic `but`,
        and without those of firms, where the member wants none.

        Most mute nothing, which is asked once, before the topics of every discussion are.
        """
        from questions.models.following import TopicMute

        if member is None:
            return self
        muted = TopicMute.objects.filter(member=member)
        tags, specialties = muted.filter(specialty=None), muted.filter(tag=None)
        if isinstance(but, Tag):
            tags = tags.exclude(tag=but)
        elif but is not None:
            specialties = specialties.exclude(specialty=but)
        tagged = Question.tags.through.objects.filter(question=OuterRef("pk"), tag__in=tags.values("tag"))
        within = QuestionSpecialty.objects.filter(
            question=OuterRef("pk"), specialty__in=specialties.values("specialty")
        )
        hiding = Member.objects.filter(pk=member.pk, hides_industry=True)
        shown = Q(industry="") | ~Exists(hiding)
        return self.filter(shown & (~Exists(muted) | Q(asker=member) | (~Exists(tagged) & ~Exists(within))))

    def saved_by(self, member: Member):
        from questions.models.keeping import Bookmark

        return self.filter(Exists(Bookmark.objects.filter(question=OuterRef("pk"), member=member)))

    def asked_from(self, user, **shown):
        """What is asked under handles that show a place: a `state` or a `region`.

        What the handle withholds finds nothing, nor does what was asked under a name or under neither face, or by
        somebody whose page a block closes.
        """
        from questions.models.posts import Byline

        handles = Member.objects.visible_to(user).filter(pk=OuterRef("asker"))
        for what, where in shown.items():
            handles = handles.alias(**{f"shown_{what}": KT(f"face__{what}")}).filter(
                **{f"shown_{what}": where}
            )
        return self._with_asker_mode().filter(Exists(handles), asker_mode__in=Byline.UNDER_HANDLE)

    def _with_asker_mode(self):
        """How the asker signs, to filter by. One look into an index for each row that gets so far; an EXISTS would
        tempt the planner to read all bylines there are."""
        from questions.models.posts import Byline

        signed = Byline.objects.filter(question=OuterRef("pk"), member=OuterRef("asker")).values("mode")
        return self.alias(asker_mode=Subquery(signed[:1]))

    def besides_silent_articles(self):
        """For lists: without the threads of articles in which nobody has said a word."""
        return self.exclude(kind=Question.Kind.ARTICLE, answer_count=0)

    def listed(self):
        return self.exclude(status=Question.Status.REMOVED)

    def open(self):
        return self.filter(status=Question.Status.OPEN)

    def unanswered(self):
        """A poll waits for votes, and nobody for a word on an article."""
        return (
            self.open().filter(answer_count=0).exclude(kind__in=[Question.Kind.POLL, Question.Kind.ARTICLE])
        )

    def solved(self):
        return self.listed().filter(solved_at__isnull=False)

    def in_specialty(self, specialty: Specialty | str):
        return self.filter(
            Exists(QuestionSpecialty.objects.filter(question=OuterRef("pk"), specialty=specialty))
        )

    def tagged(self, tag: Tag):
        return self.filter(Exists(Question.tags.through.objects.filter(question=OuterRef("pk"), tag=tag)))

    def silent_since(self, moment):
        return self.open().exclude(kind__in=Question.NEVER_SILENT).filter(activity_at__lt=moment)

    def with_topics(self):
        """Add `topics`, the specialties as {name, slug, code} in the order chosen."""
        specialties = QuestionSpecialty.objects.filter(question=OuterRef("pk")).order_by("place")
        topic = JSONObject(name="specialty__name", slug="specialty__slug", code="specialty_id")
        return self.annotate(topics=ArraySubquery(specialties.values_list(topic)))


class Question(models.Model):
    """Everything members discuss: a question, an observation, a discussion, a poll, a case, an article in the news."""

    class Kind(models.TextChoices):
        QUESTION = "question", "Question"
        OBSERVATION = "observation", "Observation"
        DISCUSSION = "discussion", "Discussion"
        POLL = "poll", "Poll"
        CASE = "case", "Case"
        ARTICLE = "article", "Article"

    # Others are opened by the app they belong to.
    ASKED_KINDS = (Kind.QUESTION, Kind.OBSERVATION, Kind.DISCUSSION)
    SOLVED_KINDS = (Kind.QUESTION, Kind.CASE)
    NEVER_SILENT = (Kind.ARTICLE,)  # silence closes none of these, since no author could reopen it
    # Kind: what makes the address of its page from its id and title, where another app has it.
    HOMES: dict[str, Callable[[int, str], str]] = {}

    class Audience(models.TextChoices):
        PHYSICIANS = "physicians", "All physicians"
        SPECIALTY = "specialty", "Only the specialties chosen above"
        CONNECTIONS = "connections", "Only my connections"
        INVITED = "invited", "Only colleagues I name"

    ASKED_AUDIENCES = Audience.choices[:3]  # of every kind; colleagues are named in cases alone
    # Their few readers are met by handle: no name is shown among them, or it would soon be joined to one.
    AMONG_FEW = (Audience.CONNECTIONS, Audience.INVITED)

    class Urgency(models.TextChoices):
        DAYS = "days", "In days"
        TODAY = "today", "Today"
        NOW = "now", "Now"  # of cases alone

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        REMOVED = "removed", "Removed"

    class CloseReason(models.TextChoices):
        AUTHOR = "author", "by its author"
        MODERATOR = "moderator", "by a moderator"
        SILENCE = "silence", "after silence"

    kind = models.CharField(max_length=12, choices=Kind, default=Kind.QUESTION)
    title = models.CharField(max_length=140)
    asker = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="questions")
    specialties = models.ManyToManyField(Specialty, through="QuestionSpecialty", related_name="questions")
    tags = models.ManyToManyField(Tag, blank=True, related_name="questions")
    audience = models.CharField(max_length=11, choices=Audience, default=Audience.PHYSICIANS)
    peers_only = models.BooleanField(default=False)
    # The firm that opened it, by name.
    industry = models.CharField(max_length=120, blank=True, default="", db_default="")
    answer_first = models.BooleanField(default=False, db_default=False)  # see questions.models.answer_first
    urgency = models.CharField(max_length=5, choices=Urgency, default=Urgency.DAYS)
    excerpt = models.CharField(max_length=240, blank=True)
    has_poll = models.BooleanField(default=False, db_default=False)

    status = models.CharField(max_length=7, choices=Status, default=Status.OPEN)
    opened_at = models.DateTimeField(default=timezone.now)
    activity_at = models.DateTimeField(default=timezone.now)
    first_answer_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=9, choices=CloseReason, blank=True)
    solved_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True)

    answer_count = models.PositiveIntegerField(default=0)
    comment_count = models.PositiveIntegerField(default=0)
    vote_count = models.PositiveIntegerField(default=0)
    importance_sum = models.PositiveIntegerField(default=0)
    importance_count = models.PositiveIntegerField(default=0)
    importance = models.DecimalField(max_digits=5, decimal_places=4, default=3)
    hot = models.FloatField(default=0)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["id", "asker"], name="question_with_asker"),
            models.CheckConstraint(
                condition=Q(kind__in=["question", "observation", "discussion", "poll", "case", "article"]),
                name="question_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(audience__in=["physicians", "specialty", "connections", "invited"]),
                name="question_audience_is_known",
            ),
            models.CheckConstraint(
                condition=Q(urgency__in=["days", "today", "now"]), name="question_urgency_is_known"
            ),
            models.CheckConstraint(
                condition=(Q(status="open") & Q(closed_at=None) & Q(close_reason=""))
                | (Q(status="closed") & Q(closed_at__isnull=False) & ~Q(close_reason=""))
                | Q(status="removed"),
                name="question_closed_with_moment_and_reason",
            ),
            models.CheckConstraint(
                condition=Q(solved_at=None) | Q(solved_at__gte=F("opened_at")),
                name="question_solved_after_opened",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(closed_at__gte=F("opened_at")),
                name="question_closed_after_opened",
            ),
            models.CheckConstraint(
                condition=Q(importance_sum__gte=F("importance_count"))
                & Q(importance_sum__lte=5 * F("importance_count")),
                name="question_importance_sum_is_possible",
            ),
        ]
        indexes = [
            models.Index(F("hot").desc(), F("id").desc(), name="question_hot"),
            models.Index(F("opened_at").desc(), F("id").desc(), name="question_new"),
            models.Index(F("importance").desc(), F("id").desc(), name="question_important"),
            models.Index(F("activity_at").desc(), F("id").desc(), name="question_active"),
            models.Index(
                F("opened_at").desc(),
                F("id").desc(),
                condition=Q(status="open", answer_count=0),
                name="question_unanswered",
            ),
            models.Index(
                F("opened_at").desc(),
                F("id").desc(),
                condition=Q(solved_at__isnull=False),
                name="question_solved",
            ),
            models.Index(fields=["activity_at"], condition=Q(status="open"), name="question_open_activity"),
            models.Index(fields=["asker", "-opened_at"], name="question_by_asker"),
        ]

    def __str__(self):
        return f"question {self.pk}"

    def get_absolute_url(self):
        return self.url_of(self.pk, self.title, self.kind)

    @classmethod
    def url_of(cls, pk: int, title: str, kind: str) -> str:
        """The address of its page, also for rows that are no instances."""
        if home := cls.HOMES.get(kind):
            return home(pk, title)
        return reverse("questions:question", args=[pk, cls.slug_of(title, kind)])

    @property
    def slug(self):
        return self.slug_of(self.title, self.kind)

    @staticmethod
    def slug_of(title: str, kind: str) -> str:
        return slugify(title)[:40].strip("-") or kind

    @property
    def words(self):
        return words_of(self.kind)

    @property
    def is_open(self):
        return self.status == self.Status.OPEN

    @property
    def is_removed(self):
        return self.status == self.Status.REMOVED

    @property
    def is_solved(self):
        return self.solved_at is not None

    @property
    def is_among_connections(self):
        return self.audience == self.Audience.CONNECTIONS

    @property
    def is_among_few(self):
        return self.audience in self.AMONG_FEW

    @property
    def is_among_peers(self):
        """Whether firms read nothing here, whatever its posts say of themselves."""
        return self.peers_only or self.audience != self.Audience.PHYSICIANS

    @property
    def is_private(self):
        """Whether only colleagues whom its asker named read it, so far."""
        return self.audience == self.Audience.INVITED

    @property
    def is_urgent(self):
        """Whether somebody still waits for a word today, or now."""
        return self.waits_today(self.status, self.solved_at, self.urgency, self.opened_at, timezone.now())

    @classmethod
    def waits_today(cls, status, solved_at, urgency, opened_at, now) -> bool:
        """The same from single values, for rows that are no instances."""
        waiting = status == cls.Status.OPEN and solved_at is None and urgency != cls.Urgency.DAYS
        return waiting and now - opened_at < timedelta(days=2)

    @property
    def can_be_solved(self):
        return self.kind in self.SOLVED_KINDS

    @property
    def closes_at(self):
        """When silence will close it."""
        return self.activity_at + timedelta(days=settings.CLOSE_AFTER_SILENT_DAYS)

    @property
    def importance_mean(self):
        """The plain mean of the ratings, shown with their number; sorting uses the Bayesian `importance`."""
        return self.importance_sum / self.importance_count if self.importance_count else None


class QuestionSpecialty(models.Model):
    """One of the one to three specialties a discussion is addressed to, in the order chosen."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE)
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT)
    place = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["question", "specialty"], name="question_specialty_once"),
            models.UniqueConstraint(fields=["question", "place"], name="question_specialty_place_once"),
            models.CheckConstraint(
                condition=Q(place__range=(1, 3)), name="question_specialties_at_most_three"
            ),
        ]
        indexes = [models.Index(fields=["specialty", "question"], name="question_specialty_reverse")]

    def __str__(self):
        return f"{self.question_id}: {self.specialty_id}"
