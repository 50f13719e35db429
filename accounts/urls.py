from django.urls import path

from accounts.views import people

app_name = "accounts"

urlpatterns = [
    path("members/<str:handle>/", people.member, name="member"),
    path("physicians/<str:key>/", people.physician, name="physician"),
    path("settings/", people.settings, name="settings"),
]
