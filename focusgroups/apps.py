from django.apps import AppConfig


class FocusgroupsConfig(AppConfig):
    name = "focusgroups"
    verbose_name = "focus groups"

    def ready(self):
        from accounts.backends import SermoBackend
        from focusgroups import notices, receivers, retention  # noqa: F401
        from focusgroups.menu import has_groups

        SermoBackend.also_asked["has_groups"] = has_groups
