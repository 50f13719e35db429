"""Addresses below /consults/."""

from django.urls import path

from consults.views import (
    archive,
    board,
    calibration,
    consents,
    desk,
    figures,
    images,
    markers,
    note,
    pages,
    paging,
    replies,
    solving,
    stories,
    writing,
)

app_name = "consults"

urlpatterns = [
    # reading
    path("", pages.case_list, name="list"),
    path("<int:question_id>/", pages.case, name="bare"),
    path("<int:question_id>/<slug:slug>/", pages.case, name="case"),
    path("<int:question_id>/<slug:slug>/solution/", pages.look, name="look"),
    path("<int:question_id>/<slug:slug>/note/", note.curbside_note, name="note"),
    path("archive/", archive.case_archive, name="archive"),  # ?q=&specialty=&shows=&sort=
    path("figures/", figures.case_figures, name="figures"),
    path("<int:question_id>/<slug:slug>/reply/", replies.reply, name="reply"),
    path("<int:question_id>/<slug:slug>/diagnoses/", board.diagnoses, name="diagnoses"),
    path("diagnoses/<int:diagnosis_id>/vote/", board.vote, name="vote_diagnosis"),
    path("diagnoses/<int:diagnosis_id>/merge/", board.merge, name="merge_diagnosis"),
    path("diagnoses/<int:diagnosis_id>/unmerge/", board.unmerge, name="unmerge_diagnosis"),
    path("diagnoses/<int:diagnosis_id>/rename/", board.rename, name="rename_diagnosis"),
    path("<int:question_id>/<slug:slug>/solve/", solving.solve, name="solve"),
    path("calibration/", calibration.calibration, name="calibration"),
    path("<int:question_id>/<slug:slug>/page/", paging.page, name="page"),
    path("images/<str:key>/", images.image, name="image"),  # ?size=full|screen|thumb&window=
    path("images/<str:key>/full/", pages.full, name="full"),  # ?window=
    path("images/<str:key>/flag/", desk.flag, name="flag"),
    path("images/<str:key>/mark/", markers.mark, name="mark"),
    path("marks/<int:marker_id>/remove/", markers.remove, name="remove_mark"),
    path("stories/", stories.story_list, name="stories"),
    path("stories/<str:key>/", stories.story, name="story"),
    path("stories/<str:key>/open/", stories.open_story, name="open_story"),
    # writing
    path("stories/of/<int:question_id>/", stories.write_story, name="write_story"),
    path("stories/of/<int:question_id>/take-back/", stories.take_back_story, name="take_back_story"),
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
    path("desk/stories/<str:key>/", stories.review_story, name="review_story"),
    path("desk/incidents/<int:incident_id>/", desk.incident, name="incident"),
]
