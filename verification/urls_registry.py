"""Addresses of the entry in one's own registry record. They belong to verification.urls."""

urlpatterns = []
