from django.apps import AppConfig


class AnalysesConfig(AppConfig):
    name = "analyses"

    def ready(self) -> None:
        from analyses import runs
        from analyses.segments import uses_of_segments
        from jobs import handlers
        from marketing.segments.saved import register_uses

        handlers.register(runs.JOB_KIND, execute=runs.execute, on_end=runs.release_question)
        register_uses(uses_of_segments)
