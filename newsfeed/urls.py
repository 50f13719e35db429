"""Addresses below /news/."""

from django.urls import path

from newsfeed.views import article, atom, digest, keeping, lists, log, own_papers

app_name = "newsfeed"

urlpatterns = [
    # lists
    path("", lists.list_, name="list"),
    path("sources/", lists.sources, name="sources"),
    path("sources/<slug:slug>/", lists.source, name="source"),
    # one article and its discussion
    path("<int:article_id>/", article.article, name="article"),
    path("<int:article_id>/discuss/", article.discuss, name="discuss"),
    path("discussions/<int:question_id>/", article.discussion, name="discussion"),
    # what one keeps, and wants less of
    path("<int:article_id>/save/", keeping.save, name="save"),
    path("sources/<slug:slug>/follow/", keeping.follow_source, name="follow_source"),
    path("<int:article_id>/less/", keeping.less_choices, name="less_choices"),
    path("less/", keeping.less, name="less"),
    path("less/<int:less_id>/undo/", keeping.undo_less, name="undo_less"),
    path("<int:article_id>/mine/", own_papers.own_paper, name="own_paper"),
    # the learning log
    path("log/", log.log, name="log"),
    path("log/add/", log.log_add, name="log_add"),
    path("log/<int:entry_id>/", log.log_entry, name="log_entry"),
    path("log/export.csv", log.log_csv, name="log_csv"),
    path("log/print/", log.log_print, name="log_print"),
    # elsewhere
    path("feed/", atom.feed_settings, name="feed_settings"),
    path("feed/<str:key>.atom", atom.atom, name="atom"),
    path("digest/preview/", digest.digest_preview, name="digest_preview"),
]
