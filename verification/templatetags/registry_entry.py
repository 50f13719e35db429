"""What the proof page shows of an entry in one's registry record, wherever that page is put together."""

from django import template

from verification.services import endpoint

register = template.Library()


@register.simple_tag
def entry_of(claim):
    return endpoint.entry_of(claim)
