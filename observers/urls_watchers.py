"""Who watches, for everybody, and what they read, for members."""

from django.urls import path

from observers.views import watchers

app_name = "watchers"

urlpatterns = [
    path("", watchers.watchers, name="all"),
    path("reads.csv", watchers.reads_file, name="reads_file"),
    path("settings/", watchers.choices, name="settings"),
    path("block/", watchers.block, name="block"),
    path("posts/<int:post_id>/", watchers.post, name="post"),
]
