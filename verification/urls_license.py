"""Addresses of a license that is held: confirming it, renewing it, the badge. They belong to verification.urls."""

urlpatterns = []
