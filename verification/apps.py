from django.apps import AppConfig


class VerificationConfig(AppConfig):
    name = "verification"

    def ready(self):
        from verification import notices, receivers, retention  # noqa: F401 - connects them
