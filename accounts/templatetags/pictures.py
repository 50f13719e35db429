"""Where the pictures of people lie, for templates that have a member at hand."""

from django import template

from accounts import pictures
from accounts.models import Face, Member

register = template.Library()


@register.filter
def handle_picture(member: Member | None) -> str:
    """Where the picture beside a handle lies, or "" for two letters and for staff without a membership."""
    return pictures.picture_url(member, Face.HANDLE) if member else ""


@register.filter
def name_picture(member: Member | None) -> str:
    return pictures.picture_url(member, Face.NAME) if member else ""


@register.filter
def own_handle_picture(member: Member | None) -> str:
    """The same as its owner sees it, at any standing."""
    return pictures.own_picture_url(member, Face.HANDLE) if member else ""
