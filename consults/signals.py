"""Facts this app announces, inside the transaction that made them true."""

from django.dispatch import Signal

case_withdrawn = Signal()  # case; its pictures are shredded and its words stubbed
