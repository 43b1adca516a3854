from django.apps import AppConfig


class AttributionConfig(AppConfig):
    name = "attribution"

    def ready(self) -> None:
        from accounts.defaults import register_attribution_models
        from analyses.registry import register
        from attribution import analysis, receivers
        from attribution.cube import daily_cube as cube
        from attribution.cube import keeping as cube_keeping
        from attribution.cube.kept_models import default_models
        from jobs.handlers import register_sweeper

        register_attribution_models(default_models)
        register(analysis.KIND)
        register(cube.KIND)
        register_sweeper(cube_keeping.keep_cubes_current)
        receivers.connect()
