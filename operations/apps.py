from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """Running the service: what a site admin sees of queues, workers and storage."""

    name = "operations"
