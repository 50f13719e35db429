"""Who watches, for everybody, and what they read, for members."""

app_name = "watchers"

urlpatterns = []
