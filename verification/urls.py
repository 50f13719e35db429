from django.urls import path

from verification import urls_license, urls_privacy, urls_proofs, urls_registry, views

app_name = "verification"

urlpatterns = [
    path("", views.start, name="start"),
    path("identity/", views.identity, name="identity"),
    path("identity/hints/", views.hints, name="hints"),
    path("challenge/", views.challenge, name="challenge"),
    path("challenge/start/", views.challenge_start, name="challenge_start"),
    path("challenge/answer/", views.challenge_answer, name="challenge_answer"),
    path("challenge/skip/", views.challenge_skip, name="challenge_skip"),
    path("proof/", views.proof, name="proof"),
    path("proof/documents/", views.document_add, name="document_add"),
    path("proof/colleagues/", views.colleagues_ask, name="colleagues_ask"),
    path("withdraw/", views.withdraw, name="withdraw"),
    path("appeal/", views.appeal, name="appeal"),
    path("vouch/<str:code>/", views.vouch, name="vouch"),
    path("byline/", views.byline, name="byline"),
    path("reveal/<int:connection_id>/", views.reveal, name="reveal"),
    *urls_proofs.urlpatterns,
    *urls_registry.urlpatterns,
    *urls_license.urlpatterns,
    *urls_privacy.urlpatterns,
]
