from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("members/<str:handle>/", views.member, name="member"),
    path("physicians/<str:key>/", views.physician, name="physician"),
    path("settings/", views.settings, name="settings"),
]
