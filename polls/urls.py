"""Addresses below /polls/."""

from django.urls import path

from polls.views import opening, oversight, pages, taking

app_name = "polls"

urlpatterns = [
    # reading
    path("", pages.poll_list, name="list"),
    path("<int:question_id>/", pages.poll, name="poll"),
    path("<int:question_id>/results/", pages.results, name="results"),
    path("trends/<int:trend_id>/", pages.trend, name="trend"),
    # taking
    path("<int:question_id>/vote/", taking.vote, name="vote"),
    path("<int:question_id>/look/", taking.look, name="look"),
    # opening
    path("new/", opening.new, name="new"),
    path("<int:question_id>/add/", opening.add_option, name="add_option"),
    path("<int:question_id>/options/", opening.edit_options, name="options"),
    path("<int:question_id>/correct/", opening.correct, name="correct"),
    path("trends/<int:trend_id>/stop/", opening.stop_trend, name="stop_trend"),
    # oversight
    path("<int:question_id>/close/", oversight.close, name="close"),
    path("concerns/", oversight.concerns, name="concerns"),
    path("concerns/<int:concern_id>/", oversight.decide, name="decide"),
]
