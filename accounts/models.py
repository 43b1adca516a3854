"""Who uses the product: users, workspaces, memberships, plans, API keys, and the trail of what they did."""

import uuid
import zoneinfo
from typing import Any, ClassVar

from babel.numbers import get_currency_precision, list_currencies
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower

# Addresses under /w/ that are not workspaces.
RESERVED_SLUGS = frozenset({"new"})


class UserManager(BaseUserManager["User"]):
    """Creates users who are named by their e-mail address."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address in lower case throughout: the form in which django-allauth looks for it at sign-in."""
        return super().normalize_email(email).lower()

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)


class User(AbstractUser):
    """A person, identified by e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique", violation_error_message="E-mail in use.")
        ]


def validate_currency(code: str) -> None:
    if code not in list_currencies():
        raise ValidationError(f"“{code}” is not an ISO 4217 currency code, such as EUR.")


def timezone_names() -> set[str]:
    """The IANA zones: without names that mean another zone on each machine, or none."""
    return zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"}


def validate_timezone(name: str) -> None:
    if name not in timezone_names():
        raise ValidationError(f"“{name}” is not an IANA time zone, such as Europe/Berlin.")


def validate_slug_is_free_for_use(slug: str) -> None:
    if slug in RESERVED_SLUGS:
        raise ValidationError(f"“{slug}” is used by the product itself. Choose another one.")


class Workspace(models.Model):
    """One organisation's data, in one currency and one time zone, and its defaults for every analysis."""

    class WeekStart(models.IntegerChoices):
        MONDAY = 0
        SATURDAY = 5
        SUNDAY = 6

    class Grouping(models.TextChoices):
        STANDARD = "standard"
        CUSTOM = "custom"
        GRANULAR = "granular"

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True, validators=[validate_slug_is_free_for_use])
    currency = models.CharField(max_length=3, default="EUR", validators=[validate_currency])
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    week_start = models.PositiveSmallIntegerField(choices=WeekStart.choices, default=WeekStart.MONDAY)
    period_days = models.PositiveSmallIntegerField("time period, last N days", default=90)
    window_days = models.PositiveSmallIntegerField("lookback window in days", default=30)
    confidence = models.PositiveSmallIntegerField(
        "confidence level", choices=[(n, f"{n}%") for n in (80, 90, 95, 99)], default=95
    )
    channel_grouping = models.CharField(max_length=10, choices=Grouping.choices, default=Grouping.STANDARD)
    default_attribution_model = models.CharField(max_length=60, default="last_non_direct")
    keep_files_days = models.PositiveSmallIntegerField(
        "days that uploaded files are kept",
        choices=[(0, "Not after the import"), *((n, f"{n} days") for n in (7, 30, 90, 365))],
        default=90,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="workspaces")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(window_days__gte=1, window_days__lte=365), name="workspace_window_1_to_365_days"
            ),
            models.CheckConstraint(condition=models.Q(period_days__gte=1), name="workspace_period_at_least_a_day"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone whose days are this workspace's days."""
        return zoneinfo.ZoneInfo(self.timezone)

    @property
    def money_decimals(self) -> int:
        """Decimal places of the workspace's currency: 2 for EUR, 0 for JPY."""
        return get_currency_precision(self.currency)


class Role(models.TextChoices):
    """What a member may do; `accounts.permissions` holds the table."""

    OWNER = "owner"
    ADMIN = "admin"
    ANALYST = "analyst"
    VIEWER = "viewer"


class Membership(models.Model):
    """A user's role in a workspace."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once_per_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role}, {self.workspace})"


class Invitation(models.Model):
    """A place in a workspace, offered by mail; the token is only in the mail, its digest here."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    email = models.EmailField("e-mail address")
    role = models.CharField(max_length=10, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "workspace",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role}, {self.workspace})"


class Feature(models.TextChoices):
    """What a plan may include beyond the common ground."""

    DATA_DRIVEN = "data_driven", "Data-driven attribution"
    FORECAST = "forecast", "Predictive modelling"


class Plan(models.Model):
    """A subscription tier; its entitlements are data, edited in the admin."""

    code = models.SlugField(max_length=30, unique=True)
    name = models.CharField(max_length=60)
    rank = models.PositiveSmallIntegerField("order, cheapest first", default=0)
    features = models.JSONField(default=list, blank=True, help_text="Feature codes, such as data_driven and forecast.")
    concurrent_fits = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: by agreement.")
    max_rows = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty: by agreement.")
    max_members = models.PositiveIntegerField(
        "seats", null=True, blank=True, help_text="Members and open invitations. Empty: by agreement."
    )
    runs_a_month = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: by agreement.")
    api_calls_a_minute = models.PositiveIntegerField(
        default=600, validators=[MinValueValidator(1)], help_text="Of each API key."
    )

    class Meta:
        ordering: ClassVar = ["rank"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not isinstance(self.features, list) or set(self.features) - set(Feature.values):
            raise ValidationError({"features": f"Use a list of these codes: {', '.join(Feature.values)}."})


class Subscription(models.Model):
    """The plan that a workspace is on."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="subscription")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="subscriptions")
    started_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.workspace}: {self.plan}"


class PlanRequest(models.Model):
    """An owner's wish for another plan, which a site admin grants or declines; the invoice is written elsewhere."""

    class Status(models.TextChoices):
        OPEN = "open"
        GRANTED = "granted"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="plan_requests")
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="+")
    message = models.TextField(blank=True, max_length=2000)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    answer = models.TextField(blank=True, max_length=2000, help_text="Shown to the workspace's owners.")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(status="open"), name="plan_request_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.workspace}: {self.plan} ({self.status})"


class ApiKey(models.Model):
    """A credential for programs: shown once, stored as a keyed hash, bound to one workspace and its creator's role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    lookup = models.CharField(max_length=8, unique=True)
    digest = models.BinaryField(max_length=32)
    last4 = models.CharField(max_length=4)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    # The key that this one takes over from; both are valid until that one expires.
    rotated_from = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="rotated_to")

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} (mmm_{self.lookup}...{self.last4})"


class ApiUsage(models.Model):
    """How many calls a workspace's keys made on a day (UTC)."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_usage")
    day = models.DateField()
    calls = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "day"], name="api_usage_once_a_day")]

    def __str__(self) -> str:
        return f"{self.workspace} {self.day}: {self.calls}"


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Events can be added and read."""

    def update(self, **_fields: object) -> int:
        raise AppendOnlyError

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError

    def bulk_update(self, *_args: object, **_options: object) -> int:
        raise AppendOnlyError


class AppendOnlyError(TypeError):
    """A programming error: something tried to rewrite the audit log."""

    def __init__(self) -> None:
        super().__init__("Audit events are never changed or deleted.")


class AuditEvent(models.Model):
    """One thing that somebody did; rows are only ever added, and outlive the workspace and the people in them."""

    workspace = models.ForeignKey(Workspace, models.SET_NULL, null=True, related_name="audit_events")
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "-at"], name="audit_workspace_at"),
            models.Index(fields=["workspace", "action", "-at"], name="audit_workspace_action_at"),
            models.Index(fields=["workspace", "actor", "-at"], name="audit_workspace_actor_at"),
            models.Index(fields=["workspace", "api_key", "-at"], name="audit_workspace_api_key_at"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.target}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *_args: object, **_kwargs: object) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError
