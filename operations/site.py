"""The site administration: what it is called, how its pages are grouped, and the status page among them."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path


@dataclass(frozen=True)
class Group:
    """Models that a site admin looks for in one place, as "app_label.model_name", in this order."""

    label: str
    models: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.label.lower().replace(" ", "-")


GROUPS = (
    Group(
        "Workspaces and plans",
        ("accounts.workspace", "accounts.subscription", "accounts.planrequest", "accounts.plan"),
    ),
    Group(
        "People and access",
        (
            *("accounts.user", "accounts.membership", "accounts.invitation", "account.emailaddress"),
            *("accounts.apikey", "auth.group"),
        ),
    ),
    Group("Work", ("analyses.run", "marketing.import", "marketing.upload", "jobs.job")),
    Group(
        "Reports and mails",
        (
            *("reports.schedule", "reports.occurrence", "reports.edition", "reports.delivery", "reports.recipient"),
            *("reports.alert", "reports.alertevent", "reports.report", "reports.exportfile"),
        ),
    ),
    Group(
        "What workspaces have set up",
        (
            *("marketing.channel", "marketing.goal", "marketing.savedsegment", "attribution.custommodel"),
            *("attribution.custommodelversion", "weightings.scenario", "marketing.healthreport"),
        ),
    ),
    Group("Webhooks", ("webhooks.endpoint", "webhooks.delivery")),
    Group("Service", ("accounts.auditevent", "django_celery_beat.periodictask")),
)


class AdministrationSite(AdminSite):
    """Django's admin under the product's name."""

    site_title = "Mixed Media Modeling"
    site_header = "Mixed Media Modeling administration"
    index_title = "Administration"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from operations import views  # here, as it asks for rows, which this module is loaded before

        return [path("status/", self.admin_view(views.status), name="status"), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Return the models by `GROUPS`; apps that are in none, such as one that is new, follow as they are."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        found = {
            f"{app['app_label']}.{model['object_name'].lower()}": (app, model)
            for app in apps
            for model in app["models"]
        }
        grouped = []
        for group in GROUPS:
            models = [found.pop(name)[1] for name in group.models if name in found]
            if models:
                grouped.append({"name": group.label, "app_label": group.name, "app_url": "", "models": models})
        for app in apps:
            left = [model for owner, model in found.values() if owner is app]
            if left:
                grouped.append(app | {"models": left})
        return grouped
