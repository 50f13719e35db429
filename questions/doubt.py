"""Which comments on an article stand folded: disputed claims that name no reference but the article itself."""

from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, Value, When

from questions.models import Post, Question, Reference

LEAST = 2  # disputes
SAID = "Disputed, and it names no reference."
WORDS = f"{SAID} Show it."


def is_doubted() -> Case:
    """A column of posts. Whether the claim is disputed is asked of the row alone, the rest only where it is."""
    disputed = Q(kind=Post.Kind.ANSWER, dispute_count__gte=LEAST, dispute_count__gt=F("corroborate_count"))
    on_article = Question.objects.filter(pk=OuterRef("question"), kind=Question.Kind.ARTICLE)
    same = Reference.objects.filter(kind=OuterRef("kind"), value=OuterRef("value"))
    the_article = same.filter(post__question=OuterRef("post__question"), post__kind=Post.Kind.OPENING)
    named = Reference.objects.filter(~Exists(the_article), post=OuterRef("pk"))
    bare = Exists(on_article) & ~Exists(named)
    doubted = Case(When(bare, then=True), default=False, output_field=BooleanField())
    return Case(When(disputed, then=doubted), default=Value(False), output_field=BooleanField())
