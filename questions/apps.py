from django.apps import AppConfig


class QuestionsConfig(AppConfig):
    name = "questions"

    def ready(self):
        from accounts.backends import SermoBackend
        from questions import notices, notices_of_private, receivers, retention  # noqa: F401

        SermoBackend.also_loaded.append("member__rank")  # shown beside one's own name
