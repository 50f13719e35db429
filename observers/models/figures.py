"""Figures as firms may know them: a day old, and only where enough physicians share them."""

from django.db import models
from django.db.models import F, Q

from questions.models import Post, Question
from rewards.models import Firm


class Crowd(models.Model):
    """How many physicians share a specialty group, or a group and a region; counted each night."""

    group = models.CharField(max_length=80)
    region = models.CharField(max_length=20, blank=True)  # blank: all of the group
    physicians = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["group", "region"], name="crowd_once")]

    def __str__(self):
        return f"{self.group}, {self.region}: {self.physicians}"


class VoteFigure(models.Model):
    """The votes of a post as firms read them, and those that they read next, each a night apart."""

    post = models.OneToOneField(Post, on_delete=models.CASCADE, primary_key=True, related_name="vote_figure")
    corroborations = models.PositiveIntegerField(default=0)
    disputes = models.PositiveIntegerField(default=0)
    next_corroborations = models.PositiveIntegerField(default=0)
    next_disputes = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        indexes = [  # as `observers.listing` orders them; other settings than 11 and 5 make do without
            models.Index(
                (F("corroborations") / 5).desc(),
                F("post").desc(),
                condition=Q(corroborations__gte=11),
                name="vote_figure_in_order",
            )
        ]

    def __str__(self):
        return f"votes of {self.post_id}"


class ImportanceFigure(models.Model):
    """How important a discussion was rated, likewise."""

    question = models.OneToOneField(
        Question, on_delete=models.CASCADE, primary_key=True, related_name="importance_figure"
    )
    raters = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    next_raters = models.PositiveIntegerField(default=0)
    next_total = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        indexes = [  # by tenths of the mean
            models.Index(
                ((F("total") * 20 + F("raters")) / (F("raters") * 2)).desc(),
                F("question").desc(),
                condition=Q(raters__gte=11),
                name="importance_figure_in_order",
            )
        ]

    def __str__(self):
        return f"importance of {self.question_id}"


class FigureDay(models.Model):
    """That the figures of a night were taken, so that a second run the same night changes nothing; and when, so that
    they are not shown before they are a day old."""

    day = models.DateField(primary_key=True)
    taken_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"figures of {self.day}"


class BlockFigure(models.Model):
    """How many of all physicians shut a firm out, as it reads that (nothing in its first night), and what it reads
    next, a night apart."""

    firm = models.OneToOneField(Firm, on_delete=models.CASCADE, primary_key=True, related_name="block_figure")
    blocked = models.PositiveIntegerField(null=True)
    physicians = models.PositiveIntegerField(null=True)
    next_blocked = models.PositiveIntegerField()
    next_physicians = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(blocked=None, physicians=None)
                | Q(blocked__isnull=False, physicians__isnull=False, blocked__lte=F("physicians")),
                name="block_figure_of_physicians",
            )
        ]

    def __str__(self):
        return f"blocks of {self.firm_id}"


class PeersOnlyShare(models.Model):
    """Of the discussions opened in a month, how many firms never see; for them to know what they miss."""

    month = models.DateField(primary_key=True)
    discussions = models.PositiveIntegerField()
    withheld = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(withheld__lte=F("discussions")), name="withheld_among_discussions"
            )
        ]

    def __str__(self):
        return f"peers only in {self.month}"
