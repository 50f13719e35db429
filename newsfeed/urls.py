"""Addresses below /news/."""

app_name = "newsfeed"

urlpatterns = []
