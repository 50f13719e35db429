from django.apps import AppConfig


class RewardsConfig(AppConfig):
    name = "rewards"

    def ready(self):
        from rewards import notices, receivers, receivers_polls, receivers_rooms, retention  # noqa: F401
