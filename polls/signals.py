"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

poll_taken = Signal()  # poll, member; never what was chosen
poll_closed = Signal()  # poll
