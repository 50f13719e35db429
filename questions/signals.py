"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

question_closed = Signal()  # question
question_reopened = Signal()  # question
solution_asked = (
    Signal()
)  # question, about to be solved, or not to be; receivers may refuse by raising RuleBroken
removal_asked = Signal()  # question, by its author; receivers may refuse by raising RuleBroken
edit_asked = Signal()  # post, about to say source instead; receivers may refuse by raising RuleBroken
# question, whose opening lost words; cut, which makes of a text one without them; kept, a dict where each receiver that
# cut something puts what putting back needs, under the name of its app
words_taken_out = Signal()
answer_words_taken_out = Signal()  # post, an answer or a comment; cut and kept as above
words_put_back = Signal()  # question, kept
opening_rewritten = Signal()  # question; what its opening is found by was written anew from title and text
post_written = Signal()  # post, an answer or a comment that was just posted
post_removed = Signal()  # post, removed by its author or a moderator
post_put_back = Signal()  # post, which a moderator had removed
authors_sought = (
    Signal()
)  # question, a private one; members, a set: receivers add who wrote in it beside posts
opened_to_all = Signal()  # question, opening; a private consult that all physicians read from now on
