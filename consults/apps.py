from django.apps import AppConfig


class ConsultsConfig(AppConfig):
    name = "consults"

    def ready(self):
        from django.urls import reverse

        from accounts.backends import SermoBackend
        from consults import notices, receivers, retention  # noqa: F401
        from consults.labels import label_of
        from consults.on_call_reading import open_calls_of_user
        from consults.taking_part import part_taken
        from questions.labels import LABELS
        from questions.models import Question
        from questions.services.moderation import rights

        SermoBackend.also_asked["open_calls"] = open_calls_of_user
        rights.also_taken.append(part_taken)
        LABELS["case"] = label_of
        Question.HOMES["case"] = lambda pk, title: reverse(
            "consults:case", args=[pk, Question.slug_of(title, "case")]
        )
