"""Which comments on an article stand folded: disputed claims that name no reference."""

from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, Value, When

from questions.models import Post, Question, Reference

LEAST = 2  # disputes
WORDS = "Disputed, and it names no reference. Show it."


def is_doubted() -> Case:
    """A column of posts. Whether the claim is disputed is asked of the row alone, the rest only where it is."""
    disputed = Q(kind=Post.Kind.ANSWER, dispute_count__gte=LEAST, dispute_count__gt=F("corroborate_count"))
    on_article = Question.objects.filter(pk=OuterRef("question"), kind=Question.Kind.ARTICLE)
    bare = Exists(on_article) & ~Exists(Reference.objects.filter(post=OuterRef("pk")))
    doubted = Case(When(bare, then=True), default=False, output_field=BooleanField())
    return Case(When(disputed, then=doubted), default=Value(False), output_field=BooleanField())
