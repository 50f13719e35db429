"""Addresses of the console, see `observers.urls`."""

from django.urls import path

from observers.views import reading

urlpatterns = [
    path("", reading.discussions, name="list"),
    path("questions/<str:key>/", reading.question, name="question"),
    path("images/<str:key>/<int:place>/", reading.image, name="image"),
]
