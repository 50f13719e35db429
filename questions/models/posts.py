"""What members write in a discussion, and under which name."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorField
from django.db import models
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, Func, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block, Face, Member
from accounts.roles import is_moderator
from questions.models import openness
from questions.models.answer_first import shows_post_to
from questions.models.questions import Question

# Every post belongs to one era of each of these lengths, counted in posts by their numbers. The eras are in the index
# of words, so that a search for the newest need not read where a common word stood in all the years before. No text
# has such lexemes, since they hold a blank.
ERAS = (1_024, 8_192, 65_536, 524_288)
WORDS_AND_ERAS = Func(
    F("search_vector"),
    Func(
        *(Func(F("id"), template=f"'{length} ' || (%(expressions)s / {length})::text") for length in ERAS),
        template="array_to_tsvector(ARRAY[%(expressions)s])",
    ),
    template="(%(expressions)s)",
    arg_joiner=" || ",
    output_field=SearchVectorField(),
)
MOST_ERAS = 32  # looked through in one search; for a longer stretch of posts longer ones are taken


class Byline(models.Model):
    """How one member signs in one discussion: fixed by the first post there, only ever made more private.

    Masked is what a public byline becomes when its member wants the name gone: neither name nor handle, so that
    nobody who remembers the name learns the handle. House is the voice of the site, which opens the threads of news,
    and firm that of a firm, which asks under its name.
    """

    class Mode(models.TextChoices):
        ANONYMOUS = "anonymous", "Handle"
        PARTIAL = "partial", "Handle, region and years"
        PUBLIC = "public", "Real name"
        MASKED = "masked", "Neither"
        HOUSE = "house", "The site itself"
        FIRM = "firm", "A firm"

    UNDER_HANDLE = (Mode.ANONYMOUS, Mode.PARTIAL)

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="bylines")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="bylines")
    mode = models.CharField(max_length=9, choices=Mode)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["question", "member"], name="byline_one_per_member_and_question"),
            models.UniqueConstraint(
                fields=["id", "question", "member"], name="byline_with_question_and_member"
            ),
            models.CheckConstraint(
                condition=Q(mode__in=["anonymous", "partial", "public", "masked", "house", "firm"]),
                name="byline_mode_is_known",
            ),
        ]

    def __str__(self):
        return f"byline {self.pk}"


class Eras(SearchQuery):
    """Eras as the index is asked for them: nothing in them may be stemmed."""

    def __init__(self, eras: str):
        self.eras = eras
        super().__init__(eras, search_type="raw")

    def as_sql(self, compiler, connection, **extra):
        return "%s::tsquery", [self.eras]


def eras_of(low: int, high: int) -> str | None:
    """The eras that hold all posts with numbers from `low` to `high`; None where that would be too many."""
    length = next((length for length in ERAS if high - low < MOST_ERAS * length), None)
    if length is None:
        return None
    return " | ".join(f"'{length} {number}'" for number in range(low // length, high // length + 1))


class PostQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Posts of discussions one may see, whose answers are open to one. Removed posts stay as tombstones; their
        text is the page's matter."""
        return self.filter(
            Exists(Question.objects.visible_to(user).filter(pk=OuterRef("question")))
        ).opened_to(user)

    def open_to(self, firm):
        """The one gate between a firm that observes and a post, see `questions.models.openness`."""
        return self.filter(openness.of_posts(firm))

    def opened_to(self, user):
        """Without answers and comments of colleagues in discussions where this reader has to answer first.

        Moderators, who have to judge posts, read them all; what they answer counts as written after the others. The
        discussion is asked once for each post, by a look into an index, as in `questions.search.gate`.
        """
        if is_moderator(user):
            return self
        member = user.as_member if user.is_authenticated else None
        if member is None:
            return self.filter(Q(kind=Post.Kind.OPENING) | Q(question__answer_first=False))
        shown = Question.objects.filter(shows_post_to(member), pk=OuterRef("question")).values("pk")[:1]
        return self.alias(shown_in=Subquery(shown)).filter(shown_in__isnull=False)

    def matching(self, words: SearchQuery):
        """Posts that have the words, by the index."""
        return self.alias(words_and_eras=WORDS_AND_ERAS).filter(words_and_eras=words)

    def in_eras(self, eras: str):
        """The same index led to some eras: a condition of its own, for it to skip by. `eras_of` has them."""
        return self.matching(Eras(eras))

    def standing(self):
        """Posts that were not removed."""
        return self.filter(removed_at=None)

    def answers(self):
        return self.filter(kind=Post.Kind.ANSWER)

    def signed_by_handle(self):
        """Posts whose byline shows the handle, never those under a real name."""
        return self.filter(byline__mode__in=Byline.UNDER_HANDLE)

    def signed_by_name(self):
        return self.filter(byline__mode=Byline.Mode.PUBLIC)

    def besides_blocked(self, member: Member | None):
        """Without what stands under a face that this member blocked.

        The byline of a post is looked up only where its author was blocked: joined, all bylines there are get read.
        """
        if member is None:
            return self
        blocked = Block.objects.filter(blocker=member)
        signed = Byline.objects.filter(pk=OuterRef("byline")).values("mode")
        return self.alias(signed=Subquery(signed[:1])).exclude(
            Q(
                author__in=blocked.filter(blocked_face=Face.HANDLE).values("blocked"),
                signed__in=Byline.UNDER_HANDLE,
            )
            | Q(
                author__in=blocked.filter(blocked_face=Face.NAME).values("blocked"), signed=Byline.Mode.PUBLIC
            )
        )

    def blocked_by(self, member: Member | None) -> Q:
        blocked = Block.objects.filter(blocker=member, blocked=OuterRef("author"))
        return Q(Exists(blocked.filter(blocked_face=Face.HANDLE)), byline__mode__in=Byline.UNDER_HANDLE) | Q(
            Exists(blocked.filter(blocked_face=Face.NAME)), byline__mode=Byline.Mode.PUBLIC
        )

    def with_signature(self, member: Member | None):
        """With byline and author loaded, `is_credited`, and whether the member blocked the face it stands under."""
        return self.select_related("byline", "author__specialty", "author__rank").annotate(
            is_credited=Exists(Credit.objects.filter(post=OuterRef("pk"))),
            is_blocked=ExpressionWrapper(self.blocked_by(member), output_field=BooleanField()),
        )


class Post(models.Model):
    """An opening, an answer, or a comment under an answer."""

    class Kind(models.TextChoices):
        OPENING = "opening", "Opening"
        ANSWER = "answer", "Answer"
        COMMENT = "comment", "Comment"

    class RemovedBy(models.TextChoices):
        AUTHOR = "author", "its author"
        MODERATOR = "moderator", "a moderator"

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="posts")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="comments"
    )
    kind = models.CharField(max_length=7, choices=Kind)
    author = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="posts")
    byline = models.ForeignKey(Byline, on_delete=models.PROTECT, related_name="posts")
    source = models.TextField()
    html = models.TextField()
    posted_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.CharField(max_length=9, choices=RemovedBy, blank=True)
    folded_at = models.DateTimeField(null=True, blank=True)  # by a moderator: read on demand
    fold_reason = models.CharField(max_length=14, blank=True, db_default="")
    saw_others = models.BooleanField(
        default=False, db_default=False
    )  # an answer written after reading others
    peers_only = models.BooleanField(default=False, db_default=False)  # beside its discussion's own word
    submission = models.UUIDField(null=True, blank=True, editable=False)

    corroborate_count = models.PositiveIntegerField(default=0)
    dispute_count = models.PositiveIntegerField(default=0)
    balance = models.GeneratedField(
        expression=F("corroborate_count") - F("dispute_count"),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    search_text = models.TextField(blank=True)
    search_vector = models.GeneratedField(
        expression=SearchVector("search_text", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = PostQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["question"], condition=Q(kind="opening"), name="post_one_opening"
            ),
            models.UniqueConstraint(fields=["author", "submission"], name="post_submission_once"),
            models.UniqueConstraint(fields=["id", "author"], name="post_with_author"),
            models.UniqueConstraint(fields=["id", "question"], name="post_with_question"),
            models.CheckConstraint(
                condition=Q(kind__in=["opening", "answer", "comment"]), name="post_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="comment", parent__isnull=False) | (~Q(kind="comment") & Q(parent=None)),
                name="post_comment_has_parent",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None, removed_by="")
                | (Q(removed_at__isnull=False) & ~Q(removed_by="")),
                name="post_removed_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(folded_at=None, fold_reason="")
                | (Q(folded_at__isnull=False) & ~Q(fold_reason="")),
                name="post_folded_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                F("question"),
                F("balance").desc(),
                F("id"),
                condition=Q(kind="answer"),
                name="post_answers_by_balance",
            ),
            models.Index(fields=["author", "-posted_at"], name="post_by_author"),
            GinIndex(WORDS_AND_ERAS, name="post_search"),
        ]

    def __str__(self):
        return f"post {self.pk}"

    def get_absolute_url(self):
        if self.kind == self.Kind.OPENING:
            return self.question.get_absolute_url()
        return f"{self.question.get_absolute_url()}?post={self.pk}#post-{self.pk}"

    @property
    def noun(self):
        """What it is called where it stands, in lower case."""
        return self.question.kind if self.kind == self.Kind.OPENING else self.question.words.post(self.kind)

    @property
    def label(self):
        return self.question.words.post(self.kind).capitalize()

    @property
    def is_removed(self):
        return self.removed_at is not None

    @property
    def is_by_firm(self):
        return self.byline.mode == Byline.Mode.FIRM

    @property
    def takes_verdicts(self):
        """Answers, observations and what firms open are corroborated or disputed; comments only marked helpful."""
        if self.kind == self.Kind.OPENING:
            return self.question.kind == Question.Kind.OBSERVATION or bool(self.question.industry)
        return self.kind == self.Kind.ANSWER

    @property
    def silent_until(self):
        return self.posted_at + timedelta(minutes=settings.SILENT_EDIT_MINUTES)

    @property
    def history_url(self):
        return reverse("questions:history", args=[self.pk])


class Revision(models.Model):
    """What a post said before an edit that was not silent."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=140, blank=True)
    source = models.TextField()
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["post", "number"], name="revision_number_once")]

    def __str__(self):
        return f"revision {self.number} of post {self.post_id}"


class Credit(models.Model):
    """The asker's word that an answer solved the question."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="credits")
    post = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="credit")
    place = models.PositiveSmallIntegerField()
    credited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["question", "place"], name="credit_place_once"),
            models.CheckConstraint(condition=Q(place__range=(1, 3)), name="credit_at_most_three"),
        ]

    def __str__(self):
        return f"credit of post {self.post_id}"


class Draft(models.Model):
    """What a member typed and has not posted yet, kept on the server so that a lost session loses nothing."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="drafts")
    place = models.CharField(
        max_length=48
    )  # "ask", "answer:<question>", "comment:<post>", "edit:<post>", "later:<id>"
    fields = models.JSONField()
    saved_at = models.DateTimeField(default=timezone.now)
    publish_at = models.DateTimeField(null=True, blank=True)  # of a question to be posted later
    refused = models.CharField(max_length=200, blank=True)  # why it was not posted then

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "place"], name="draft_one_per_place"),
            models.CheckConstraint(
                condition=Q(publish_at=None) | Q(place__startswith="later:"), name="draft_published_later"
            ),
        ]
        indexes = [
            models.Index(
                fields=["publish_at"],
                condition=Q(publish_at__isnull=False, refused=""),
                name="draft_to_publish",
            )
        ]

    def __str__(self):
        return f"draft {self.place}"
