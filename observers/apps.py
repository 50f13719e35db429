from django.apps import AppConfig


class ObserversConfig(AppConfig):
    name = "observers"

    def ready(self):
        from observers import gate, notices, receivers, watching  # noqa: F401
