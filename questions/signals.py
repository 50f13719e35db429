"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

question_closed = Signal()  # question
question_reopened = Signal()  # question
opening_rewritten = Signal()  # question; what its opening is found by was written anew from title and text
