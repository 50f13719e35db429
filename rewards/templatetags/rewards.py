"""What a closed discussion paid, on its page."""

from django import template
from django.utils.text import get_text_list

from questions.models import Question
from rewards.models import Settlement
from rewards.words import dollars

register = template.Library()


@register.inclusion_tag("rewards/_paid_in.html")
def paid_in(question):
    """Say what was paid in a discussion that came through its gate, in one query; while it is open, in none."""
    if question.status != Question.Status.CLOSED:
        return {}
    paid = Settlement.objects.filter(pk=question.pk, paid_cents__gt=0).first()
    return {"paid": paid, "words": words_of(paid)} if paid else {}


def words_of(paid: Settlement) -> str:
    """ "$55.00 to 4 colleagues, by Corvane Pharma and A medical society." """
    colleagues = "one colleague" if paid.payees == 1 else f"{paid.payees} colleagues"
    return f"{dollars(paid.paid_cents)} to {colleagues}, by {get_text_list(paid.firms, 'and')}."
