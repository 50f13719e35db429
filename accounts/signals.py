"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

standing_changed = Signal()  # member, whose row is locked and whose standing was just written
byline_mode_changed = Signal()  # member, was (Member.BylineMode before); member.byline_mode is the new one
