from django.apps import AppConfig


class AttributionConfig(AppConfig):
    name = "attribution"

    def ready(self) -> None:
        from analyses.registry import register
        from attribution.analysis import KIND

        register(KIND)
