"""Addresses of codes by phone, fax and mail, and of the answer that it was not me. They belong to verification.urls."""

urlpatterns = []
