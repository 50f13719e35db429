"""Addresses of the console, see `observers.urls`."""

from django.urls import path

from observers.views import industry

urlpatterns = [
    path("ask/", industry.ask, name="ask"),
    path("ask/<str:key>/close/", industry.close, name="close"),
    path("polls/", industry.polls, name="polls"),
    path("polls/new/", industry.new_poll, name="new_poll"),
    path("polls/<str:key>/", industry.results, name="results"),
]
