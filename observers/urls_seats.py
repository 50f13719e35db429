"""Addresses of the console, see `observers.urls`."""

from django.urls import path

from observers.views import seats

urlpatterns = [
    path("seats/", seats.seats, name="seats"),
    path("seats/invite/", seats.invite, name="invite_seat"),
    path("seats/invitations/<int:pk>/withdraw/", seats.withdraw, name="withdraw_seat"),
    path("seats/<int:number>/end/", seats.end, name="end_seat"),
    path("join/<str:token>/", seats.join, name="join"),
    path("purpose/", seats.purpose, name="purpose"),
]
