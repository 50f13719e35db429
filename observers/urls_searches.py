"""Addresses of the console: saved searches and exports. See `observers.urls`."""

from django.urls import path

from observers.views import searches as views

urlpatterns = [
    path("searches/", views.searches, name="searches"),
    path("searches/new/", views.new_search, name="new_search"),
    path("searches/<int:pk>/", views.search, name="search"),
    path("searches/<int:pk>/count/", views.count_search, name="count_search"),
    path("searches/<int:pk>/change/", views.change_search, name="change_search"),
    path("searches/<int:pk>/end/", views.end_search, name="end_search"),
    path("exports/", views.exports, name="exports"),
    path("exports/searches/<int:pk>/", views.export_search, name="export_search"),
    path("exports/discussions/<str:key>/", views.export_discussion, name="export_discussion"),
]
