"""Addresses of the entry in one's own registry record. They belong to verification.urls."""

from django.urls import path

from verification import views_registry as views

urlpatterns = [
    path("registry/open/", views.entry_open, name="entry_open"),
    path("registry/look/", views.entry_look, name="entry_look"),
    path("npi/<slug:token>/", views.registry_entry, name="registry_entry"),
]
