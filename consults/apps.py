from django.apps import AppConfig


class ConsultsConfig(AppConfig):
    name = "consults"

    def ready(self):
        from django.urls import reverse

        from consults import notices, receivers  # noqa: F401
        from questions.models import Question

        Question.HOMES["case"] = lambda pk, title: reverse(
            "consults:case", args=[pk, Question.slug_of(title, "case")]
        )
