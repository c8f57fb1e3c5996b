from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "bufa.apps.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
