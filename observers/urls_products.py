"""Addresses of the console: questions to the firm, and its safety desk. See `observers.urls`."""

from django.urls import path, register_converter
from django.urls.converters import UUIDConverter

from observers.services import adverse_events
from observers.views import company_answers, searches
from observers.views import desk_products as views


class EventNumber(UUIDConverter):
    """The number of an event, sealed in addresses."""

    def to_python(self, value: str) -> int:
        pk = adverse_events.event_pk(super().to_python(value))
        if pk is None:
            raise ValueError("no key of an event")
        return pk

    def to_url(self, value: int) -> str:
        return str(adverse_events.event_key(int(value)))


register_converter(EventNumber, "event")

urlpatterns = [
    path("questions-to-us/", views.company_questions, name="company_questions"),
    path("questions-to-us/<uuid:key>/", views.company_question, name="company_question"),
    path("questions-to-us/<uuid:key>/correct/", company_answers.correct, name="correct_answer"),
    path("safety/", views.safety, name="safety"),
    path("safety/log/", searches.export_safety_log, name="safety_log"),
    path("safety/<event:pk>/", views.safety_event, name="safety_event"),
]
