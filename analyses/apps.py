from django.apps import AppConfig


class AnalysesConfig(AppConfig):
    name = "analyses"

    def ready(self) -> None:
        from accounts import usage
        from analyses import monthly_runs, runs
        from analyses.segments import uses_of_segments
        from jobs import handlers
        from marketing.segments.saved import register_uses

        handlers.register(runs.JOB_KIND, execute=runs.execute, on_end=runs.release_question)
        register_uses(uses_of_segments)
        usage.register_counter(usage.Counted.RUNS, monthly_runs.runs_this_month)
