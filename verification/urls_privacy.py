"""Addresses of what members may know of identities here: who saw theirs, for whom they vouched, why they were refused.

They belong to verification.urls.
"""

from django.urls import path

from verification import views_privacy

urlpatterns = [
    path("privacy/", views_privacy.unmaskings, name="unmaskings"),
    path("vouches/", views_privacy.vouches, name="vouches"),
    path("reasons/", views_privacy.reasons, name="reasons"),
]
