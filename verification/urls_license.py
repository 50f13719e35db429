"""Addresses of a license that is held: confirming it, renewing it, the badge. They belong to verification.urls."""

from django.urls import path

from verification import views_license

urlpatterns = [
    path("license/", views_license.license, name="license"),
    path("license/retired/", views_license.license_retire, name="license_retire"),
]
