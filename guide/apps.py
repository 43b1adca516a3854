from django.apps import AppConfig


class GuideConfig(AppConfig):
    """The user guide inside the product: docs/guide, rendered."""

    name = "guide"
