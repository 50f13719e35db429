from django.apps import AppConfig


class ObserversConfig(AppConfig):
    name = "observers"

    def ready(self):
        from observers import doors, gate, notices, receivers, receivers_groups, retention, watching  # noqa: F401
