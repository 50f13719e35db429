"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

question_closed = Signal()  # question
question_reopened = Signal()  # question
removal_asked = Signal()  # question, by its author; receivers may refuse by raising RuleBroken
# question, whose opening lost words; cut, which makes of a text one without them; kept, a dict where each receiver that
# cut something puts what putting back needs, under the name of its app
words_taken_out = Signal()
words_put_back = Signal()  # question, kept
opening_rewritten = Signal()  # question; what its opening is found by was written anew from title and text
post_written = Signal()  # post, an answer or a comment that was just posted
