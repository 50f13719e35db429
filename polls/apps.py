from django.apps import AppConfig


class PollsConfig(AppConfig):
    name = "polls"

    def ready(self):
        from django.urls import reverse

        from polls import notices, receivers, retention  # noqa: F401
        from questions.models import Question

        Question.HOMES["poll"] = lambda pk, title: reverse("polls:poll", args=[pk])
