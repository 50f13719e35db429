"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

poll_taken = Signal()  # poll, member; never what was chosen
poll_given_back = Signal()  # poll, member: the vote of a poll_taken met the close of the poll and was none
poll_closed = Signal()  # poll
