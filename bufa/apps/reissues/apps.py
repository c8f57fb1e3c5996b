from django.apps import AppConfig


class ReissuesConfig(AppConfig):
    name = "bufa.apps.reissues"
    label = "reissues"
    default_auto_field = "django.db.models.BigAutoField"
