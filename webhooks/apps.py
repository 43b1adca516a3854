from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """What programs are told: events, signed and sent to the addresses that a workspace names."""

    name = "webhooks"

    def ready(self) -> None:
        from jobs.handlers import register_sweeper
        from webhooks import outbox, retention

        register_sweeper(outbox.sweep)
        register_sweeper(retention.sweep)
