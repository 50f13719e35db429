"""The one discussion of an article."""

from django.db import models

from newsfeed.models.articles import Article
from questions.models import Question


class Discussion(models.Model):
    """The thread of a work, opened by the site itself: whoever pressed the button first is nobody's business."""

    question = models.OneToOneField(
        Question, on_delete=models.CASCADE, primary_key=True, related_name="discussion"
    )
    article = models.OneToOneField(Article, on_delete=models.PROTECT, related_name="discussion")

    class Meta:
        default_permissions = ("view",)

    def __str__(self):
        return f"discussion {self.pk}"
