"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

byline_mode_changed = Signal()  # member, was (Member.BylineMode before); member.byline_mode is the new one
