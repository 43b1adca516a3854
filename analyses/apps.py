from django.apps import AppConfig


class AnalysesConfig(AppConfig):
    name = "analyses"

    def ready(self) -> None:
        from analyses import runs
        from jobs import handlers

        handlers.register(runs.JOB_KIND, execute=runs.execute, on_end=runs.release_question)
