"""Who was asked into a room, who has a seat, and how far they came."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member, User
from focusgroups.models.guides import Section
from focusgroups.models.rooms import Agreement, Cell, Room, ScreenerOption, ScreenerQuestion


class CandidateQuerySet(models.QuerySet):
    def standing(self) -> "CandidateQuerySet":
        """Those who may still say yes, or wait for a seat."""
        return self.filter(state__in=[Candidate.State.INVITED, Candidate.State.WAITING])


class Candidate(models.Model):
    """A member asked into a room. Without a member: somebody who has left the site."""

    class State(models.TextChoices):
        INVITED = "invited", "Invited"
        DECLINED = "declined", "Declined"
        SCREENED_OUT = "screened_out", "Screened out"
        WAITING = "waiting", "On the waiting list"
        SEATED = "seated", "Seated"
        LAPSED = (
            "lapsed",
            "Not asked any more",
        )  # the room filled up, closed, or the member is no physician now

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="candidates")
    member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.INVITED)
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, null=True, related_name="candidates")
    is_told = models.BooleanField(default=False)  # notified within their budget; else by digest
    invited_at = models.DateTimeField(default=timezone.now)
    waiting_since = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["room", "member"], name="candidate_once"),
            models.CheckConstraint(
                condition=Q(state__in=["invited", "declined", "screened_out", "waiting", "seated", "lapsed"]),
                name="candidate_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(waiting_since__isnull=False, cell__isnull=False),
                name="candidate_waits_since_for_a_cell",
            ),
        ]
        indexes = [
            models.Index(
                fields=["cell", "waiting_since"], condition=Q(state="waiting"), name="candidate_waiting"
            ),
            models.Index(F("member"), F("invited_at").desc(), name="candidate_of_member"),
        ]

    def __str__(self):
        return f"candidate {self.pk}"


class ScreenerAnswer(models.Model):
    """What a candidate answered, once and for all."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="screener_answers")
    question = models.ForeignKey(ScreenerQuestion, on_delete=models.PROTECT, related_name="+")
    option = models.ForeignKey(ScreenerOption, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["candidate", "question"], name="screener_answered_once")
        ]

    def __str__(self):
        return f"screener answer {self.pk}"


class Acceptance(models.Model):
    """That a candidate accepted a version of the agreement."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="acceptances")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="acceptances")
    accepted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["candidate", "agreement"], name="agreement_accepted_once")
        ]

    def __str__(self):
        return f"acceptance {self.pk}"


class ParticipantQuerySet(models.QuerySet):
    def seated(self) -> "ParticipantQuerySet":
        """Those who have their seat now."""
        return self.filter(left_at=None, member__isnull=False)


class Participant(models.Model):
    """Somebody with a seat, under an alias that is of this room alone. Without a member: they have left the site.

    Whoever has a seat that somebody left is paid for the sections that the other was not paid for.
    """

    class Leaving(models.TextChoices):
        LEFT = "left", "Left"
        REMOVED = "removed", "Removed by a moderator"
        DROPPED = "dropped", "Dropped out"  # answered nothing for too long, and the seat was given on

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="participants")
    member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    candidate = models.OneToOneField(Candidate, on_delete=models.PROTECT, related_name="seat")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="participants")
    alias = models.CharField(max_length=40)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    joined_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    left_as = models.CharField(max_length=7, choices=Leaving, blank=True)
    left_why = models.CharField(max_length=300, blank=True)  # what one who was removed or dropped is told
    withdrew_at = models.DateTimeField(null=True)  # took back all they had said

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["room", "alias"], name="participant_alias_once"),
            models.UniqueConstraint(fields=["room", "member"], name="participant_once"),
            models.CheckConstraint(condition=~Q(alias=""), name="participant_has_alias"),
            models.CheckConstraint(
                condition=Q(left_at=None, left_as="") | (Q(left_at__isnull=False) & ~Q(left_as="")),
                name="participant_left_with_moment_and_way",
            ),
            models.CheckConstraint(
                condition=~Q(left_as="removed") | ~Q(left_why=""), name="participant_removed_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(left_as__in=["", "left", "removed", "dropped"]),
                name="participant_leaving_is_known",
            ),
        ]
        indexes = [models.Index(fields=["member"], name="participant_of_member")]

    def __str__(self):
        return self.alias

    @property
    def is_seated(self) -> bool:
        return self.left_at is None and self.member_id is not None

    @property
    def stayed(self) -> bool:
        """Whether they never left the room, as its moderators read it. Who left the site after its end did: that a seat
        has nobody any more would tell whose it was."""
        return self.left_at is None


class Completion(models.Model):
    """That a participant answered all that a section requires, and the honorarium for it, in cents.

    It is nothing where somebody who had the seat before was paid for the section, and of who was paid nothing then
    (signals.earners_sought). Final is what is announced as earned: when the section closes, or at once where it has.
    """

    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="completions")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="completions")
    cents = models.PositiveIntegerField()
    completed_at = models.DateTimeField(default=timezone.now)
    final_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["section", "participant"], name="section_completed_once")
        ]
        indexes = [
            models.Index(fields=["section"], condition=Q(final_at=None), name="completion_to_be_final")
        ]

    def __str__(self):
        return f"completion {self.pk}"


class Reminder(models.Model):
    """That a participant was reminded of what is overdue: at most once a day (UTC)."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="reminders")
    day = models.DateField()
    sent_at = models.DateTimeField(default=timezone.now, null=True)  # none: before that was kept
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")  # none: the site

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["participant", "day"], name="reminded_once_a_day")]

    def __str__(self):
        return f"reminder {self.pk}"
