from django.apps import AppConfig


class NewsfeedConfig(AppConfig):
    name = "newsfeed"

    def ready(self):
        from django.urls import reverse

        from newsfeed import receivers, retention  # noqa: F401
        from questions.models import Question

        Question.HOMES["article"] = lambda pk, title: reverse("newsfeed:discussion", args=[pk])
