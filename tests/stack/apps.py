from django.apps import AppConfig


class StackConfig(AppConfig):
    name = "tests.stack"

    def ready(self) -> None:
        from analyses import registry
        from tests.stack.slow_kind import SLOW

        registry.register(SLOW)
