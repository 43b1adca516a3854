from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.plans import seed_plans

        post_migrate.connect(seed_plans, sender=self)
