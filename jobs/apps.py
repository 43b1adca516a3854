from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import children, handlers, worker_memory

        worker_memory.connect()
        handlers.register_sweeper(children.sweep_leftovers)
