from django.apps import AppConfig


class AttributionConfig(AppConfig):
    name = "attribution"

    def ready(self) -> None:
        from accounts.defaults import register_attribution_models
        from analyses.registry import register
        from attribution import analysis, cube, cube_keeping, receivers
        from attribution.cube_models import default_models
        from jobs.handlers import register_sweeper

        register_attribution_models(default_models)
        register(analysis.KIND)
        register(cube.KIND)
        register_sweeper(cube_keeping.keep_cubes_current)
        receivers.connect()
