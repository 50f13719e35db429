"""The board of diagnoses on the page of a case."""

from django import template
from django.middleware.csrf import get_token

from consults import board
from consults.reading import shown_case

register = template.Library()


@register.inclusion_tag("consults/_board.html", takes_context=True)
def case_board(context, question):
    """Nothing while the answers are closed to the reader, where nobody has answered, or of a withdrawn case."""
    request = context["request"]
    page = shown_case(request, question)
    if page.case.is_withdrawn or not (question.answers_open and question.answer_count):
        return {}
    found = board.board_of(
        question.pk,
        reader_id=page.member and page.member.pk,
        refused=getattr(request, "board_refused", None),
    )
    return {
        "board": found,
        "question": question,
        "writable": page.may_answer,
        "may_order": board.may_order(page),
        "csrf_token": get_token(request),
    }
