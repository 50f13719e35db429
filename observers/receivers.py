"""What observers do when something happened among members."""

from django.dispatch import receiver

from consults.signals import case_withdrawn
from observers import beside, products  # noqa: F401 - says what the query of a discussion brings
from observers.services import recalling
from questions.models import Post
from questions.signals import opening_rewritten, post_written


@receiver(post_written)
def look_for_products(post, **kwargs):
    products.recognize(post)


@receiver(opening_rewritten)
def look_for_products_in_opening(question, **kwargs):
    for opening in Post.objects.filter(question=question, kind=Post.Kind.OPENING):
        products.recognize(opening)


@receiver(case_withdrawn)
def have_files_of_a_case_destroyed(case, **kwargs):
    recalling.tell(case=case)
