from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """Running the service: what a site admin sees of queues, workers and storage."""

    name = "operations"

    def ready(self) -> None:
        from operations import heartbeat

        heartbeat.connect()
