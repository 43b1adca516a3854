from django.apps import AppConfig


class ApiConfig(AppConfig):
    """How programs ask: what the addresses under /api/ have in common, their description, and accounts in the API."""

    name = "api"
