"""Every setting of the product, read from the environment (docs/operations.md lists the variables).

Without any variable set this is the *embedded default*: SQLite, Celery over files, plain HTTP on loopback.
`REDIS_URL` makes it a production installation: Redis as broker and cache, HTTPS only.
"""

import logging
import os
import secrets
from ipaddress import ip_network
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac
from kombu import Exchange, Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = env.path("DATA_DIR", default=str(BASE_DIR / "var")).root
DATA_DIR = Path(DATA_DIR)
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)  # the secret and people's data: for nobody else on the machine
REDIS_URL: str | None = env.str("REDIS_URL", default=None)
EMBEDDED = REDIS_URL is None
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
HTTPS = env.bool("HTTPS", default=not EMBEDDED)
DEBUG = env.bool("DEBUG", default=False)
SERVE_PORT = env.int("PORT", default=8000)


def _secret_kept_in(path: Path) -> str:
    """Return the secret in `path`, generating it (mode 0600) the first time; safe when two processes start at once."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its secret is the one
        finally:
            draft.unlink()
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY and not EMBEDDED:
    # Each machine would invent its own: sessions would come and go, and customers' hashes would not meet.
    raise ImproperlyConfigured("Set SECRET_KEY to a long random text, the same for every process of this installation.")
SECRET_KEY = SECRET_KEY or _secret_kept_in(DATA_DIR / "secret_key")
# Customer keys and API keys are stored only as hashes under these two; set them apart from SECRET_KEY to rotate that.
CUSTOMER_HASH_KEY = env.str("CUSTOMER_HASH_KEY", default="") or salted_hmac("customers", "key", SECRET_KEY).hexdigest()
API_KEY_PEPPER = env.str("API_KEY_PEPPER", default="") or salted_hmac("api-keys", "pepper", SECRET_KEY).hexdigest()
# Secrets that sign webhooks are needed whole, so they are encrypted, under a key that is derived from this.
WEBHOOK_SECRETS_KEY = (
    env.str("WEBHOOK_SECRETS_KEY", default="") or salted_hmac("webhooks", "secrets", SECRET_KEY).hexdigest()
)
# So are the secrets of authenticator apps, from which codes are made.
SECOND_FACTOR_KEY = (
    env.str("SECOND_FACTOR_KEY", default="") or salted_hmac("second-factors", "key", SECRET_KEY).hexdigest()
)

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where links in mails lead that nobody's request has led to; without a trailing slash.
SITE_URL = env.str(
    "SITE_URL", default=f"http://localhost:{SERVE_PORT}" if EMBEDDED else f"http{'s' * HTTPS}://{ALLOWED_HOSTS[0]}"
).rstrip("/")

INSTALLED_APPS = [
    "operations.admin_config.AdministrationConfig",  # django.contrib.admin with our own site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "template_partials",
    "accounts",
    "guide",
    "api",
    "jobs",
    "webhooks",
    "marketing",
    "analyses",
    "attribution",
    "weightings",
    "crosschannel",
    "reports",
    "operations",
]

MIDDLEWARE = [
    "operations.readiness.ReadinessMiddleware",
    "operations.metrics.endpoint.MetricsMiddleware",
    "operations.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.sessions.KeepNothingMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.sessions.KnownFormSessionMiddleware",
    "mmm_project.slashes.ClosingSlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sessions.SessionLimitsMiddleware",
    "accounts.impersonation_middleware.ImpersonationMiddleware",
    "accounts.sessions.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "mmm_project.errors.ConflictMiddleware",
]

ROOT_URLCONF = "mmm_project.urls"
WSGI_APPLICATION = "mmm_project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.navigation.shell",
            ],
        },
    }
]

# --- Data -------------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a deferred transaction that turns into a write fails with "database is locked" instead of waiting.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(DATA_DIR / "media"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # With Django's 300, a few hundred guesses from many addresses would push out what was counted of the others.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
    if EMBEDDED
    else {
        "BACKEND": "mmm_project.caches.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        # Somebody waits: what Redis does not say at once is not worth asking again.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": Retry(NoBackoff(), retries=0)},
    }
}

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(DATA_DIR / "static"))
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("guide/figures", BASE_DIR / "docs/figures"),
    ("guide", BASE_DIR / "docs/guide/images"),  # the guide shows both: `guide.links`
]
WHITENOISE_USE_FINDERS = EMBEDDED
if EMBEDDED:
    Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # served by the finders; WhiteNoise warns if it is missing
else:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "mmm_project.static_files.HashedStaticFiles"},
    }

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

# --- People and sessions ----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # e-mail addresses are unique, whatever their case, by a constraint
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", default="optional" if EMBEDDED else "mandatory")
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # for another address of one's own: whoever has a session only may not take it
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Guesses are counted by the visitor's address, which a proxy adds last to X-Forwarded-For.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "accounts.second_factor.SealingAdapter"
MFA_TOTP_ISSUER = "Mixed Media Modeling"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = 3 * 3600
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "mmm_project.errors.csrf_failure"
# consolemail:// prints messages; smtp+tls://user:password@host:587 sends them.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Mixed Media Modeling <noreply@localhost>")
ADMINS = [(address, address) for address in env.list("ADMINS", default=[])]
SERVER_EMAIL = DEFAULT_FROM_EMAIL  # of mails to ADMINS about faults
# Of reports: larger files are linked, and a workspace sends no more than this, so that nobody uses it to send unasked.
MAIL_ATTACHMENT_BYTES = env.int("MAIL_ATTACHMENT_MB", default=8) * 2**20
MAILS_A_DAY = env.int("MAILS_A_DAY", default=500)
# How long to wait for a mail server that has a message and looks at it: who hangs up cannot know what became of it.
MAIL_PATIENCE_SECONDS = env.int("MAIL_PATIENCE_SECONDS", default=60)

# --- Browser security -------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 86400 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000  # the form of 200 grouping rules with 600 conditions has 2,400
# Files of data come in larger than any other request; the handler refuses what is over the limit before it is read.
MAX_FILE_BYTES = env.int("MAX_FILE_MB", default=1024) * 2**20
FILE_UPLOAD_HANDLERS = [
    "mmm_project.file_uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Background work --------------------------------------------------------------------------------------------------
# Without Redis the doorbells are files; whatever rings or listens first makes the folders, which nobody else may read.
BROKER_DIR = DATA_DIR / "broker"
if EMBEDDED:
    for folder in (BROKER_DIR, BROKER_DIR / "queue", BROKER_DIR / "control"):
        folder.mkdir(mode=0o700, exist_ok=True)
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        # Somebody waits in front of the page: look more often than once a second.
        "polling_interval": 0.2,
    }
    if EMBEDDED
    # A doorbell that cannot be rung is given up soon, as the sweep rings again; workers keep looking for Redis anyway.
    else {"socket_connect_timeout": 2, "max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
)
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not EMBEDDED
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = False
# Doorbells of jobs name their queue (`jobs.models.Job.Queue`); all else is quick and must not wait behind them.
CELERY_TASK_DEFAULT_QUEUE = "ticks"
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("ticks", "default", "fits")]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
# A claim stands this long without a heartbeat; a lease must outlast several heartbeats.
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=60)
JOB_HEARTBEAT_SECONDS = env.int("JOB_HEARTBEAT_SECONDS", default=15)
JOB_SWEEP_SECONDS = env.int("JOB_SWEEP_SECONDS", default=10)
# A queued job that nobody has claimed this long after its doorbell rang has lost it.
JOB_RING_AGAIN_SECONDS = env.int("JOB_RING_AGAIN_SECONDS", default=30)
# Jobs other than fits: how many a worker that `serve` starts carries out at once, and how many of one workspace all
# workers together. The others wait for their turn (`jobs.turns`).
JOBS_AT_ONCE = env.int("JOBS_AT_ONCE", default=3)
JOBS_OF_A_WORKSPACE = env.int("JOBS_OF_A_WORKSPACE", default=2)
MACHINE_MEMORY_MB = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
# A worker that occupies more than this after a job ends in good order, and whatever supervises it starts another.
WORKER_MEMORY_MB = env.int("WORKER_MEMORY_MB", default=max(1024, MACHINE_MEMORY_MB // 4))
# Long computations run in child processes: how many at once on this machine, and what each of them may take.
JOB_CHILD_SLOTS = env.int("JOB_CHILD_SLOTS", default=max((os.cpu_count() or 1) // 2, 1))
JOB_CHILD_MEMORY_MB = env.int(
    "JOB_CHILD_MEMORY_MB", default=min(6 * 1024, MACHINE_MEMORY_MB * 3 // 4 // JOB_CHILD_SLOTS)
)
JOB_CHILD_SECONDS = env.int("JOB_CHILD_SECONDS", default=3600)
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {
        "task": "jobs.tasks.sweep_jobs",
        "schedule": float(JOB_SWEEP_SECONDS),
        # A worker that was away finds one sweep to do, not a backlog of them.
        "options": {"expires": JOB_SWEEP_SECONDS},
    },
    "tick-reports": {
        "task": "reports.tasks.tick",
        "schedule": float(JOB_SWEEP_SECONDS),
        "options": {"expires": JOB_SWEEP_SECONDS},
    },
    "clear-expired-sessions": {
        "task": "accounts.tasks.clear_expired_sessions",
        "schedule": crontab(hour="3", minute="30"),
    },
    "remove-old-requests": {
        "task": "api.tasks.remove_old_requests",
        "schedule": crontab(minute="40"),
    },
    "remove-old-reports": {
        "task": "reports.tasks.remove_old",
        "schedule": crontab(hour="3", minute="50"),
    },
    "remove-expired-files": {
        "task": "marketing.tasks.remove_expired_files",
        "schedule": crontab(minute="20"),
    },
}

# --- Webhooks ---------------------------------------------------------------------------------------------------------
# Strangers name the addresses: none within these walls is sent to, but for these networks (10.1.0.0/16,...).
WEBHOOK_ALLOWED_PRIVATE_NETWORKS = [ip_network(one) for one in env.list("WEBHOOK_ALLOWED_PRIVATE_NETWORKS", default=[])]
WEBHOOK_SECONDS = env.float("WEBHOOK_SECONDS", default=10.0)  # for an attempt, from the look-up to the answer
WEBHOOKS_AT_ONCE = env.int("WEBHOOKS_AT_ONCE", default=8)  # that a worker process waits for

# --- API --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api_auth.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "accounts.api_auth.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.CallsAMinute"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mmm_project.parsers.BoundedJsonParser"],
    "EXCEPTION_HANDLER": "mmm_project.problems.problem_response",
    "DEFAULT_SCHEMA_CLASS": "api.schema.Description",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Mixed Media Modeling",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Everything that the pages do, for programs. Money is text, so that no decimal is lost; what was "
    "computed is numbers. Times are ISO 8601 in UTC. Refusals are `application/problem+json` (RFC 9457). "
    "`fields=id,status` leaves the other members out of the JSON of any GET, and the other columns out of its CSV; "
    "described here are whole answers.",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["api.schema.only_v1"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Fields of one name whose values differ from resource to resource.
    "ENUM_NAME_OVERRIDES": {
        "BlockKindEnum": "reports.blocks.definition.KINDS",
        "ChannelGroupingEnum": "accounts.models.Workspace.Grouping",
        "EditionTriggerEnum": "reports.models.Edition.Trigger",
        "FormatEnum": "reports.exports.FORMATS",
        "GoalKindEnum": "marketing.models.Goal.Kind",
        "ImportStatusEnum": "marketing.models.Import.Status",
        "JobStatusEnum": "jobs.models.Job.Status",
        "OutcomeKindEnum": "marketing.models.Outcome.Kind",
        "PaperEnum": "reports.models.Branding.Paper",
        "ReadinessEnum": ["ready", "limited", "blocked"],
        "RunTriggerEnum": "analyses.models.Run.Trigger",
        "ScheduleKindEnum": "reports.schedules.contents.ANALYSES",
    },
    "SERVERS": [],
}

# --- Logs, metrics and health -----------------------------------------------------------------------------------------
DEFAULT_EXCEPTION_REPORTER = "accounts.key_masking.MaskingReporter"
LOG_FORMAT = env.str("LOG_FORMAT", default="plain" if EMBEDDED else "json")
if LOG_FORMAT not in ("plain", "json"):
    raise ImproperlyConfigured("Set LOG_FORMAT to “plain” or “json”.")
if LOG_FORMAT == "json":
    logging.captureWarnings(True)  # Python's warnings would be lines of another form
LOG_REQUESTS = env.bool("LOG_REQUESTS", default=not EMBEDDED)  # a line for each
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "class": "accounts.key_masking.MaskingFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "mmm_project.json_logs.JsonLines"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {
        "operations.requests": {"level": "INFO" if LOG_REQUESTS else "WARNING"},
        # Without handlers of its own: it tells when the web server starts and stops, and of processes that hang.
        "gunicorn.error": {"level": "WARNING" if EMBEDDED else "INFO", "propagate": True},
    },
}
# Whoever sends it as a bearer token may read /metrics. Without one, programs on this machine may.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# A file that a worker or scheduler touches while it lives, for whatever supervises it; none: it touches none.
HEARTBEAT_FILE = env.str("HEARTBEAT_FILE", default="")
