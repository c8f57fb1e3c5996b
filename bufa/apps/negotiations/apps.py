from django.apps import AppConfig


class NegotiationsConfig(AppConfig):
    name = "bufa.apps.negotiations"
    label = "negotiations"
    default_auto_field = "django.db.models.BigAutoField"
