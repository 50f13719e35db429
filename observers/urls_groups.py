"""Addresses of the console: focus groups. See `observers.urls`."""

from django.urls import path

from observers.views import groups

urlpatterns = [
    path("groups/", groups.rooms, name="groups"),
    path("groups/<str:key>/", groups.room, name="group"),
    path("groups/<str:key>/notes/", groups.note, name="group_note"),
    path("groups/<str:key>/talk/", groups.talk, name="group_talk"),
    path("groups/<str:key>/<int:place>/<int:number>/", groups.prompt, name="group_prompt"),
]
