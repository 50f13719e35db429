"""Addresses below /consults/."""

from django.urls import path

from consults.views import consents, desk, images, markers, pages, writing

app_name = "consults"

urlpatterns = [
    # reading
    path("", pages.case_list, name="list"),
    path("<int:question_id>/", pages.case, name="bare"),
    path("<int:question_id>/<slug:slug>/", pages.case, name="case"),
    path("<int:question_id>/<slug:slug>/solution/", pages.look, name="look"),
    path("images/<str:key>/", images.image, name="image"),  # ?size=full|screen|thumb&window=
    path("images/<str:key>/full/", pages.full, name="full"),  # ?window=
    path("images/<str:key>/flag/", desk.flag, name="flag"),
    path("images/<str:key>/mark/", markers.mark, name="mark"),
    path("marks/<int:marker_id>/remove/", markers.remove, name="remove_mark"),
    # writing
    path("new/", writing.new, name="new"),
    path("new/<uuid:draft_key>/", writing.write, name="write"),
    path("new/<uuid:draft_key>/images/", writing.upload, name="upload"),
    path("new/<uuid:draft_key>/images/<str:key>/", images.draft_image, name="draft_image"),
    path("new/<uuid:draft_key>/images/<str:key>/remove/", writing.remove_image, name="remove_image"),
    path("new/<uuid:draft_key>/check/", writing.check, name="check"),
    path("new/<uuid:draft_key>/discard/", writing.discard, name="discard"),
    path("withdraw/<int:question_id>/", consents.withdraw, name="withdraw"),
    # consents
    path("consents/", consents.consent_list, name="consents"),
    path("consents/new/", consents.prepare, name="prepare_consent"),
    path("consents/<int:consent_id>/", consents.consent, name="consent"),
    path("consents/<int:consent_id>/form/", consents.form, name="consent_form"),
    path("consents/<int:consent_id>/sign/", consents.sign, name="sign_consent"),
    path("consents/<int:consent_id>/revoke/", consents.revoke, name="revoke_consent"),
    path("revoke/", consents.revoke_by_code, name="revoke"),
    # oversight
    path("desk/", desk.desk, name="desk"),
    path("desk/drafts/<uuid:draft_key>/", desk.review, name="review"),
    path("desk/images/<str:key>/", images.desk_image, name="desk_image"),
    path("desk/flags/<int:flag_id>/", desk.decide_flag, name="decide_flag"),
    path("desk/incidents/<int:incident_id>/", desk.incident, name="incident"),
]
