"""Addresses of what a member may know of their own identity here. They belong to verification.urls."""

from django.urls import path

from verification import views_privacy

urlpatterns = [
    path("privacy/", views_privacy.unmaskings, name="unmaskings"),
]
