"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

question_closed = Signal()  # question
question_reopened = Signal()  # question
