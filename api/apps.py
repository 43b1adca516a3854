from django.apps import AppConfig


class ApiConfig(AppConfig):
    """How programs ask: what every address under /api/ has in common, its description, and what an installation's accounts answer."""

    name = "api"
