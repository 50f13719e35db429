from django.apps import AppConfig


class QuestionsConfig(AppConfig):
    name = "questions"

    def ready(self):
        from questions import receivers  # noqa: F401
