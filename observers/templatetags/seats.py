"""What every page of the console says of the seat that reads it."""

from django import template

from observers import marks
from observers.models import Purpose

register = template.Library()


@register.simple_tag(takes_context=True)
def copy_mark(context) -> str:
    """The mark of this copy, see `observers.marks`."""
    return marks.copy_mark(context["request"].seat)


@register.filter
def purpose_words(purpose: str) -> str:
    """A purpose within a sentence: "drug and device safety"."""
    return Purpose(purpose).label.lower()
