from django.urls import path

from questions.views import acting, following, listing, ranks, reading, writing

app_name = "questions"

urlpatterns = [
    path("questions/", listing.question_list, name="list"),
    path("specialties/", listing.specialties, name="specialties"),
    path("specialties/<slug:slug>/", listing.specialty, name="specialty"),
    path("tags/<slug:slug>/", listing.tag, name="tag"),
    path("specialties/<slug:slug>/follow/", following.follow_specialty, name="follow_specialty"),
    path("tags/<slug:slug>/follow/", following.follow_tag, name="follow_tag"),
    path("topics/", following.topics, name="topics"),
    path("questions/ask/", writing.ask, name="ask"),
    path("questions/preview/", writing.preview, name="preview"),
    path("questions/<int:question_id>/answer/", writing.answer, name="answer"),
    path("questions/<int:question_id>/close/", acting.close, name="close"),
    path("questions/<int:question_id>/reopen/", acting.reopen, name="reopen"),
    path("questions/<int:question_id>/solve/", acting.solve, name="solve"),
    path("questions/<int:question_id>/follow/", following.subscribe, name="subscribe"),
    path("questions/<int:question_id>/importance/", acting.importance, name="importance"),
    path("questions/<int:question_id>/", reading.question, name="question_short"),
    path("questions/<int:question_id>/<slug:slug>/", reading.question, name="question"),
    path("posts/<int:post_id>/vote/", acting.vote, name="vote"),
    path("posts/<int:post_id>/comment/", writing.comment, name="comment"),
    path("posts/<int:post_id>/edit/", writing.edit, name="edit"),
    path("posts/<int:post_id>/remove/", acting.remove, name="remove"),
    path("posts/<int:post_id>/history/", reading.history, name="history"),
    path("leaderboards/", ranks.leaderboards, name="leaderboards"),
    path("leaderboards/hide/", ranks.hide_place, name="hide_place"),
    path("points/", ranks.points, name="points"),
    path("drafts/", writing.drafts, name="drafts"),
    path("drafts/<str:place>/", writing.save_draft, name="save_draft"),
]
