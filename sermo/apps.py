from django.apps import AppConfig


class SermoConfig(AppConfig):
    name = "sermo"

    def ready(self):
        from sermo import celery  # noqa: F401 - the app that shared tasks bind to
