"""Addresses of the console: saved searches and exports. See `observers.urls`."""

from django.urls import path

from observers.views import searches as views

urlpatterns = [
    path("searches/", views.searches, name="searches"),
    path("searches/new/", views.new_search, name="new_search"),
    path("searches/<str:key>/", views.search, name="search"),
    path("searches/<str:key>/count/", views.count_search, name="count_search"),
    path("searches/<str:key>/change/", views.change_search, name="change_search"),
    path("searches/<str:key>/end/", views.end_search, name="end_search"),
    path("exports/", views.exports, name="exports"),
    path("exports/searches/<str:key>/", views.export_search, name="export_search"),
    path("exports/discussions/<str:key>/", views.export_discussion, name="export_discussion"),
]
