from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """What programs are told: events, signed and sent to the addresses that a workspace names."""

    name = "webhooks"
