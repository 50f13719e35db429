"""Addresses of codes by phone, fax and mail, and of the answer that it was not me. They belong to verification.urls."""

from django.urls import path

from verification import views_proofs

urlpatterns = [
    path("proof/codes/<slug:kind>/send/", views_proofs.code_send, name="code_send"),
    path("proof/codes/<slug:kind>/check/", views_proofs.code_check, name="code_check"),
    path("proof/domains/", views_proofs.domain_ask, name="domain_ask"),
    path("not-me/", views_proofs.objection_find, name="objection_find"),
    path("not-me/<str:code>/", views_proofs.objection, name="objection"),
]
