from django.apps import AppConfig


class AttributionConfig(AppConfig):
    name = "attribution"

    def ready(self) -> None:
        from analyses.registry import register
        from attribution import analysis, cube, cube_keeping
        from jobs.handlers import register_sweeper

        register(analysis.KIND)
        register(cube.KIND)
        register_sweeper(cube_keeping.keep_cubes_current)
