"""Cases: what a physician asks or teaches about one patient, beside the discussion it is."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from consults.models.consents import Consent
from questions.models import Byline, Post, Question


class CaseQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Cases whose discussion one may read, but for removed ones, whoever asks."""
        seen = Question.objects.visible_to(user).listed().filter(pk=OuterRef("pk"))
        return self.filter(Exists(seen))

    def consented_to_observers(self):
        """Cases that firms may see by the consent they stand on, while it stands."""
        consents = Consent.objects.standing().filter(for_observers=True, pk=OuterRef("consent"))
        return self.filter(Exists(consents), withdrawn_at=None)


def outcome_known(case: str) -> Q:
    """Whether what a case turned out to be stands: it teaches, or is solved. `case` is the field that leads to it."""
    solved = Q(**{f"{case}__question__solved_at__isnull": False})
    return Q(**{f"{case}__intent": Case.Intent.TEACHING}) | solved


class Case(models.Model):
    """The case of a discussion of kind case. Its words are the opening post; here is what they have in common.

    `withdrawn_at` says that its pictures are shredded and its words stubbed.
    """

    class Intent(models.TextChoices):
        HELP = "help", "Ask for help"
        TEACHING = "teaching", "Share a solved case"

    class Ask(models.TextChoices):
        WHAT = "what", "What is this?"
        TREAT = "treat", "How would you treat?"
        TEST = "test", "Next test?"
        EKG = "ekg", "Read this EKG"
        REFER = "refer", "Refer?"

    class AgeBand(models.TextChoices):
        """No finer than a year of life can be told from; from 90 on all are one, as Safe Harbor has it."""

        NEWBORN = "newborn", "Newborn"
        INFANT = "infant", "Infant"
        TODDLER = "1-4", "1 to 4"
        CHILD = "5-12", "5 to 12"
        TEEN = "13-17", "13 to 17"
        TWENTIES = "18-29", "18 to 29"
        THIRTIES = "30-39", "30s"
        FORTIES = "40-49", "40s"
        FIFTIES = "50-59", "50s"
        SIXTIES = "60-69", "60s"
        SEVENTIES = "70-79", "70s"
        EIGHTIES = "80-89", "80s"
        NINETIES = "90", "90 or older"

    class Sex(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        INTERSEX = "intersex", "Intersex"
        UNSAID = "unsaid", "Not stated"

    class Withdrawn(models.TextChoices):
        AUTHOR = "author", "by its author"
        CONSENT = "consent", "because the consent ended"
        IDENTITY = "identity", "because a patient could be identified"

    question = models.OneToOneField(Question, on_delete=models.CASCADE, primary_key=True, related_name="case")
    intent = models.CharField(max_length=8, choices=Intent, default=Intent.HELP)
    ask = models.CharField(max_length=5, choices=Ask, default=Ask.WHAT)
    age_band = models.CharField(max_length=7, choices=AgeBand)
    sex = models.CharField(max_length=8, choices=Sex)
    care_under_way = models.BooleanField(default=False)  # ticked for urgency now
    solution = models.TextField(blank=True)  # of a teaching case, Markdown; folded until the reader commits
    solution_html = models.TextField(blank=True)
    consent = models.ForeignKey("Consent", on_delete=models.PROTECT, related_name="cases")
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn = models.CharField(max_length=8, choices=Withdrawn, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(intent__in=["help", "teaching"]), name="case_intent_is_known"),
            models.CheckConstraint(
                condition=Q(ask__in=["what", "treat", "test", "ekg", "refer"]), name="case_ask_is_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    age_band__in=[
                        *("newborn", "infant", "1-4", "5-12", "13-17", "18-29", "30-39"),
                        *("40-49", "50-59", "60-69", "70-79", "80-89", "90"),
                    ]
                ),
                name="case_age_band_is_known",
            ),
            models.CheckConstraint(
                condition=Q(sex__in=["female", "male", "intersex", "unsaid"]), name="case_sex_is_known"
            ),
            models.CheckConstraint(
                condition=Q(intent="help", solution="", solution_html="")
                | Q(intent="teaching", withdrawn_at__isnull=False)
                | (Q(intent="teaching") & ~Q(solution="") & ~Q(solution_html="")),
                name="case_teaching_has_solution",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn="")
                | Q(withdrawn_at__isnull=False, withdrawn__in=["author", "consent", "identity"]),
                name="case_withdrawn_with_moment_and_reason",
            ),
        ]

    def __str__(self):
        return f"case {self.pk}"

    def get_absolute_url(self):
        return reverse("consults:case", args=[self.pk, self.question.slug])

    @property
    def is_teaching(self):
        return self.intent == self.Intent.TEACHING

    @property
    def is_withdrawn(self):
        return self.withdrawn_at is not None


class Marker(models.Model):
    """A numbered point on a picture, with a few words. `post` is the reply it belongs to, once there is one.

    A reply names it as "(mark 2)". Left and top are thousandths of the picture's sides.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="markers")
    image = models.ForeignKey("Image", on_delete=models.PROTECT, related_name="markers")
    number = models.PositiveSmallIntegerField()
    left = models.PositiveSmallIntegerField()
    top = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=80)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="markers")
    byline = models.ForeignKey(Byline, on_delete=models.PROTECT, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, related_name="markers")
    made_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="marker_number_once"),
            models.CheckConstraint(condition=Q(number__range=(1, 99)), name="marker_number_in_bounds"),
            models.CheckConstraint(
                condition=Q(left__lte=1000, top__lte=1000), name="marker_is_on_the_picture"
            ),
            models.CheckConstraint(
                condition=~Q(label="") | Q(removed_at__isnull=False), name="marker_has_words"
            ),
        ]

    def __str__(self):
        return f"marker {self.pk}"
