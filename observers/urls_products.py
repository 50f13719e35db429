"""Addresses of the console: questions to the firm, and its safety desk. See `observers.urls`."""

from django.urls import path

from observers.views import desk_products as views

urlpatterns = [
    path("questions-to-us/", views.company_questions, name="company_questions"),
    path("questions-to-us/<uuid:key>/", views.company_question, name="company_question"),
    path("safety/", views.safety, name="safety"),
    path("safety/log.csv", views.safety_log, name="safety_log"),
    path("safety/<int:pk>/", views.safety_event, name="safety_event"),
]
