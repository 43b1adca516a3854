from django.apps import AppConfig


class CrosschannelConfig(AppConfig):
    name = "crosschannel"

    def ready(self) -> None:
        from analyses.registry import register
        from crosschannel import analysis

        register(analysis.KIND)
