from django.apps import AppConfig


class WeightingsConfig(AppConfig):
    name = "weightings"

    def ready(self) -> None:
        from analyses.registry import register
        from weightings import analysis

        register(analysis.KIND)
