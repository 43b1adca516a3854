from django.apps import AppConfig


class AttributionConfig(AppConfig):
    name = "attribution"

    def ready(self) -> None:
        from accounts.defaults import register_attribution_models
        from analyses.registry import register
        from attribution import analysis, cube, cube_keeping
        from attribution.labels import MODEL_LABELS
        from jobs.handlers import register_sweeper

        register_attribution_models(MODEL_LABELS)
        register(analysis.KIND)
        register(cube.KIND)
        register_sweeper(cube_keeping.keep_cubes_current)
