"""Addresses of the console, see `observers.urls`."""

urlpatterns = []
