"""Addresses of the console, see `observers.urls`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from observers import keys
from observers.views import seats


class InvitationNumber(StringConverter):
    """The number of an invitation, sealed in addresses: it would tell how many all other firms have."""

    def to_python(self, value: str) -> int:
        pk = keys.invitation_pk(value)
        if pk is None:
            raise ValueError("no key of an invitation")
        return pk

    def to_url(self, value: int) -> str:
        return keys.invitation_key(int(value))


register_converter(InvitationNumber, "invitation")

urlpatterns = [
    path("seats/", seats.seats, name="seats"),
    path("seats/invite/", seats.invite, name="invite_seat"),
    path("seats/invitations/<invitation:pk>/withdraw/", seats.withdraw, name="withdraw_seat"),
    path("seats/<int:number>/end/", seats.end, name="end_seat"),
    path("join/<str:token>/", seats.join, name="join"),
    path("purpose/", seats.purpose, name="purpose"),
]
