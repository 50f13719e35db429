"""One settings file, read from the environment, loud when wrong. With nothing set, a laptop gets a working site."""

import sys
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from sermo.logging import log_config
from sermo.runtime import addresses

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

VAR_DIR = env.path("VAR_DIR", default=str(BASE_DIR / "var"))
VAR_DIR = Path(str(VAR_DIR))


# Where the site stands

PORT = env.int("PORT", default=8000)
SITE_URL = env.str("SITE_URL", default=f"http://localhost:{PORT}").rstrip("/")
_site = urlsplit(SITE_URL)


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


if _site.scheme not in ("http", "https") or not _site.hostname:
    raise ImproperlyConfigured(f"SITE_URL must look like https://sermo.example, not {SITE_URL!r}.")
HTTPS = _site.scheme == "https"
LOOPBACK = is_loopback(_site.hostname)
if not HTTPS and not LOOPBACK:
    raise ImproperlyConfigured("SITE_URL must be https unless it is on this machine (localhost).")

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
if DEMO and not LOOPBACK:
    raise ImproperlyConfigured("DEMO=1 has open log-ins: it needs a SITE_URL on this machine (localhost).")

ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[_site.hostname, *(("127.0.0.1", "[::1]") if LOOPBACK else ())]
)
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []


# Secrets: from the environment, or made once in var/secrets.env

_secrets = {} if env.str("SECRET_KEY", default="") else addresses.secrets(VAR_DIR)


def secret(name: str) -> str:
    value = env.str(name, default=_secrets.get(name, ""))
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. SECRET_KEY, FIELD_KEYS and HASH_KEY belong together.")
    return value


SECRET_KEY = secret("SECRET_KEY")
FIELD_KEYS = secret("FIELD_KEYS").split(",")
try:
    HASH_KEY = bytes.fromhex(secret("HASH_KEY"))
except ValueError as error:
    raise ImproperlyConfigured("HASH_KEY must be 64 hexadecimal digits.") from error
if len(HASH_KEY) < 32:
    raise ImproperlyConfigured("HASH_KEY must be at least 64 hexadecimal digits.")


# Applications, in the order of the layers

LOCAL_APPS = [
    "accounts",
    "verification",
    "questions",
    "polls",
    "consults",
    "newsfeed",
    "focusgroups",
    "rewards",
    "observers",
]

INSTALLED_APPS = [
    "sermo",
    *LOCAL_APPS,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "sermo.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "sermo.middleware.response_headers",
    "sermo.middleware.no_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.second_factor",
    "accounts.middleware.last_seen",
    "accounts.middleware.SharedDevice",
]

ROOT_URLCONF = "sermo.urls"
WSGI_APPLICATION = "sermo.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["sermo.templatetags.sermo"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "sermo.context.site",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")
CRISPY_TEMPLATE_PACK = "paper"
CRISPY_ALLOWED_TEMPLATE_PACKS = ["paper"]
CRISPY_FAIL_SILENTLY = False


# Database, cache and broker

DATABASE_URL = env.str("DATABASE_URL", default="") or addresses.database_url(VAR_DIR)
if "migrate" in sys.argv[1:2] and env.str("MIGRATE_DATABASE_URL", default=""):
    DATABASE_URL = env.str("MIGRATE_DATABASE_URL")
PREPARE_QUERIES = not env.bool("PGBOUNCER", default=False)  # see sermo.prepared
DATABASES = {
    "default": {
        **env.db_url_config(DATABASE_URL),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": env.bool("PGBOUNCER", default=False),
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="") or addresses.redis_url(VAR_DIR)
CACHES = {
    "default": {
        "BACKEND": "sermo.cache.ForgivingRedisCache",
        "LOCATION": addresses.cache_location(REDIS_URL),
        "KEY_PREFIX": "sermo",
        "TIMEOUT": 300,
    },
    "throttles": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "sermo_throttle",
    },
}

CELERY_BROKER_URL = addresses.broker_location(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "default"
QUEUES = {
    "pages": (
        "consults.tasks_on_call.advance_due",
        "consults.tasks_on_call.advance",
        "accounts.tasks.send_pressing_mail",
    ),
    "feeds": ("newsfeed.tasks.check_feed",),
}
CELERY_TASK_ROUTES = {name: {"queue": queue} for queue, names in QUEUES.items() for name in names}
CELERY_TIMEZONE = "UTC"
ON_CALL_EVERY = 10.0  # seconds, after which it is looked which pages are due
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "close-silent-questions": {
        "task": "questions.tasks.close_due_questions",
        "schedule": crontab(minute="7"),
    },
    "close-due-polls": {"task": "polls.tasks.close_due_polls", "schedule": crontab(minute="*/5")},
    "open-due-waves": {"task": "polls.tasks.open_due_waves", "schedule": crontab(minute="27")},
    "ask-what-became": {"task": "questions.tasks.ask_what_became", "schedule": crontab(minute="12")},
    "post-due-drafts": {"task": "questions.tasks.post_due_drafts", "schedule": crontab(minute="*/5")},
    "expire-invitations": {
        "task": "questions.tasks.expire_invitations",
        "schedule": crontab(minute="*/5"),
    },
    "recount-ranks": {"task": "questions.tasks.recount_ranks", "schedule": crontab(minute="5", hour="0")},
    "enforce-retention": {
        "task": "verification.tasks.enforce_retention",
        "schedule": crontab(minute="40", hour="3"),
    },
    "enforce-hourly-retention": {
        "task": "verification.tasks.enforce_hourly_retention",
        "schedule": crontab(minute="22"),
    },
    "check-chain": {"task": "verification.tasks.check_chain", "schedule": crontab(minute="10", hour="3")},
    "remind-incidents": {
        "task": "verification.tasks.remind_incidents",
        "schedule": crontab(minute="5", hour="13"),
    },
    "look-at-entries": {
        "task": "verification.tasks.look_at_entries",
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 900},
    },
    "watch-failures": {"task": "verification.tasks.watch_failures", "schedule": crontab(minute="*/5")},
    "deliver-due-codes": {"task": "verification.tasks.deliver_due_codes", "schedule": crontab()},
    "decide-due": {"task": "verification.tasks.decide_due", "schedule": crontab()},
    "ask-whether": {"task": "verification.tasks.ask_whether", "schedule": crontab(minute="*/10")},
    "weigh-queue": {"task": "verification.tasks.weigh_queue", "schedule": crontab(minute="*/10")},
    "bring-due-disputes": {
        "task": "verification.tasks.bring_due_disputes",
        "schedule": crontab(minute="5", hour="13"),
    },
    "sweep-vouch-losses": {
        "task": "verification.tasks.sweep_vouch_losses",
        "schedule": crontab(minute="47"),
    },
    "end-unmaskings": {"task": "verification.tasks.end_unmaskings", "schedule": crontab(minute="17")},
    "tell-unmasked": {
        "task": "verification.tasks.tell_unmasked",
        "schedule": crontab(minute="20", hour="13"),  # by day: it is told to people
    },
    "keep-licenses": {
        "task": "verification.tasks.keep_licenses",
        "schedule": crontab(minute="30", hour="11"),
    },
    "recheck-claims": {"task": "verification.tasks.recheck_claims", "schedule": crontab(minute="47")},
    "recheck-rosters": {
        "task": "verification.tasks.recheck_rosters",
        "schedule": crontab(minute="20", hour="2", day_of_week="1"),
    },
    "recheck-faces": {"task": "accounts.tasks.recheck_faces", "schedule": crontab(minute="30", hour="3")},
    "resume-exports": {"task": "accounts.tasks.resume_exports", "schedule": crontab(minute="*/5")},
    "send-mail": {"task": "accounts.tasks.send_mail", "schedule": crontab()},
    "work-off-fan-outs": {"task": "accounts.tasks.work_off_fan_outs", "schedule": crontab()},
    "recount-lexemes": {
        "task": "questions.tasks.recount_lexemes",
        "schedule": crontab(minute="35", hour="2"),
    },
    "tell-saved-searches": {
        "task": "questions.tasks.tell_saved_searches",
        "schedule": crontab(minute="*/15"),
    },
    "finish-revocations": {"task": "consults.tasks.finish_revocations", "schedule": crontab(minute="*/10")},
    "watch-consents": {"task": "consults.tasks.watch_consents", "schedule": crontab(minute="32")},
    "advance-pagings": {
        "task": "consults.tasks_on_call.advance_due",
        "schedule": ON_CALL_EVERY,
        "options": {"expires": ON_CALL_EVERY},  # after an outage one of them does what all would
    },
    "plan-duties": {
        "task": "consults.tasks_on_call.plan_duties",
        "schedule": crontab(minute="3", hour="*/4"),
    },
    "check-due-feeds": {
        "task": "newsfeed.tasks.check_due_feeds",
        "schedule": crontab(),
        "options": {"expires": 60},
    },
    "send-digests": {"task": "newsfeed.tasks.send_digests", "schedule": crontab(minute="*/15")},
    "close-due-groups": {"task": "focusgroups.tasks.close_due", "schedule": crontab(minute="*/5")},
    "remind-groups": {"task": "focusgroups.tasks.remind_due", "schedule": crontab(minute="37")},
    "take-figures": {"task": "observers.tasks.take_figures", "schedule": crontab(minute="10", hour="0")},
    "make-months-of-reads": {
        "task": "observers.tasks.make_months",
        "schedule": crontab(minute="20", hour="0"),
    },
    "count-charts": {"task": "observers.tasks.count_charts", "schedule": crontab(minute="*/5")},
    "send-firm-alerts": {"task": "observers.tasks.send_alerts", "schedule": crontab(minute="0", hour="6-8")},
    "find-products": {"task": "observers.tasks.find_products", "schedule": crontab(minute="*/15")},
    "sweep-products": {"task": "observers.tasks.sweep_products", "schedule": crontab(minute="30", hour="1")},
    "fix-allowances": {"task": "rewards.tasks.fix_allowances", "schedule": crontab(minute="0", hour="0")},
    "keep-draw-keys": {"task": "rewards.tasks.keep_draw_keys", "schedule": crontab(minute="2")},
    "settle-due": {"task": "rewards.tasks.settle_due", "schedule": crontab(minute="*/5")},
    "credit-honoraria": {
        "task": "rewards.tasks.credit_honoraria",
        "schedule": crontab(minute="20", hour="0"),
    },
    "run-payouts": {"task": "rewards.tasks.run_payouts", "schedule": crontab(minute="*/10")},
    "reconcile-payouts": {"task": "rewards.tasks.reconcile", "schedule": crontab(minute="15", hour="5")},
    "note-late-payouts": {"task": "rewards.tasks.note_late_payouts", "schedule": crontab(minute="42")},
    "close-left-balances": {
        "task": "rewards.tasks.close_left_balances",
        "schedule": crontab(minute="35", hour="3"),
    },
}


# Files

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "sermo.assets.BundleFinder",
]
MEDIA_ROOT = VAR_DIR / "media"
PRIVATE_DIR = VAR_DIR / "private"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": PRIVATE_DIR, "base_url": None, "file_permissions_mode": 0o600},
    },
    # What came of cases and is not masked yet: outside of what is backed up, and empty after a day.
    "staging": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "staging", "base_url": None, "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if DEBUG:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000  # bytes of a form without its files
WHITENOISE_KEEP_ONLY_HASHED_FILES = True


# Mail

EMAIL_URL = env.str("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}")
vars().update(env.email_url_config(EMAIL_URL))
if EMAIL_URL.startswith("filemail:"):
    EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"Sermo <no-reply@{_site.hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10


# Accounts

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.SermoBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2idHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
ACCOUNT_FORMS = {
    "add_email": "accounts.forms.ChangeEmailForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "login": "accounts.forms.LoginForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "signup": "accounts.forms.SignupForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD = "website"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # seconds
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {"revoke_consent": "10/h/ip", "new_account": "10/d/ip"}  # beside those of allauth
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_FORMS = {"add_webauthn": "accounts.forms.AddKeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # localhost, where browsers allow it
MFA_TOTP_ISSUER = "Sermo"


# Sessions, cookies, headers

SESSION_ENGINE = "sermo.sessions"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "sermo.views.csrf_failure"
if HTTPS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = int(timedelta(days=730).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}


# Language and time

LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "America/New_York"  # what a visitor sees; everything is stored in UTC


# Rules with a number in them

HANDLE_CHANGE_DAYS = 90
SMALL_CELL = 11  # a handle shows no combination of facts that fewer members share
CONNECTION_RETRY_DAYS = 90  # a request can be answered as long, and sent again from then on
EXPORT_KEEP_DAYS = 7
SHARED_DEVICE_MINUTES = 30  # without a request, after which one is logged out on a device that others use
UNCONFIRMED_DAYS = 3  # how long a sign-up waits for its code before it is forgotten
SILENT_EDIT_MINUTES = 15
CLOSE_AFTER_SILENT_DAYS = 30
REOPEN_WITHIN_DAYS = 14
NEUTRAL_SECONDS = 0.25  # after which a claim's form is answered at the earliest: the work behind it differs
CHALLENGE_ON = env.bool("CHALLENGE_ON", default=True)  # off: applicants go straight to documents
NPPES_API_URL = env.str("NPPES_API_URL", default="https://npiregistry.cms.hhs.gov/api/")
BOARD_URLS = env.dict(  # state: where its open data has the roster of its medical board
    "BOARD_URLS",
    default={
        "TX": "https://data.texas.gov/resource/tm3v-pfq9.json",
        "CO": "https://data.colorado.gov/resource/7s5z-vewr.json",
        "WA": "https://data.wa.gov/resource/qxh8-f4bd.json",
        "IL": "https://illinois-edp.data.socrata.com/resource/pzzh-kp68.json",
    },
)
SOCRATA_APP_TOKEN = env.str("SOCRATA_APP_TOKEN", default="")  # with it open data is read at a higher limit
NPPES_ASKED = env.bool("NPPES_ASKED", default=not DEMO)  # whether the registry is asked about a claimant
QUESTIONS_PER_PAGE = 20
ANSWERS_PER_PAGE = 20
COMMENTS_SHOWN = 3
PLACES_PER_PAGE = 50  # of a leaderboard
LINES_PER_PAGE = 30  # of one's points
BOARD_MONTHS = 12  # this month and those before it that have leaderboards
PAIR_FLAG_DAYS = 30  # two members are shown to a moderator if in so many days
PAIR_FLAG_VOTES = 5  # each gave the other at least so many votes that earn points,
PAIR_FLAG_PERCENT = 50  # and at least this share of all such votes of each went to the other
SIMILAR_FROM = 15  # characters of a title from which on similar discussions are looked for
SIMILAR_SHOWN = 5
ASK_MOST = 25  # members a new discussion is put to
ASK_NEWCOMERS_PERCENT = 20  # of them, who are new to its topics
ASKED_PER_WEEK = 10  # discussions put to one member
POST_LATER_DAYS = 14  # after which a question that may identify a patient can be posted
MOST_LATER = 5  # questions of one member that wait to be posted
COUNT_CAP = 1000  # what is counted inside a reader's gate is counted no further
FILTERS_KEPT_SECONDS = 120  # how old the counts beside a list may be
WALK_KEPT_SECONDS = 3600  # how long it is known what a reader of a moving list was shown,
WALK_REMEMBERS = 20_000  # and how many discussions of it
NEW_TAG_TIERS = ("contributor", "trusted", "expert", "top")  # whose members may make a tag
TAGS_PER_PAGE = 60
BOOKMARKS_PER_PAGE = 30
MOST_BOOKMARKS = 2000  # of one member
MOST_FOLDERS = 50
MOST_MUTED = 200  # topics of one member
DAILY_WRITES = {"post": 3, "comment": 30, "vote": 100, "flag": 20}  # of a new member; each tier doubles them
REPORTER_DAYS = 30  # whose reports in so many days were dismissed
REPORTER_DISMISSED = 5  # at least so often, and upheld never, is not heard alone
FOLD_REPORTERS = 2  # members who say that a patient can be identified fold a post until a moderator looks
REPORT_CLAIM_MINUTES = 30
UNDO_HOURS = 24  # after an act of a moderator
APPEAL_WITHIN_DAYS = 30
APPEAL_DECIDED_DAYS = 7
REPORTS_PER_PAGE = 30
RESULTS_PER_PAGE = 20  # of a search
MATCHES_RANKED = 150  # of a search, the newest; ranking more would cost time and change little
SAVED_SEARCHES = 50  # of one member, saved filters of the list among them
POLL_LEAST_INVITED = 5  # a poll is open to at least so many members
POLLS_PER_PAGE = 20
POLL_REMIND_HOURS = 24  # before the end, once
POLL_LEAST_SECONDS = 2  # below which a vote is shown to a person
CASES_PER_PAGE = 20
CASE_UPLOADS_PER_DAY = 60  # pictures of one member, those refused among them
CASE_REVIEW_MINUTES = 15  # in which a moderator should have looked at a case
CASE_FIRST_REVIEWED = 3  # a new member's first so many, under each face
IMAGE_FLAG_DAYS = 30  # in so many days
IMAGE_FLAGS_WRONG = 2  # wrong flags take the power to flag away
IMAGE_FLAGS_OPEN = 3  # flags of one member that nobody decided yet hide no further picture
INCIDENT_DAYS = 60  # to tell those concerned (45 CFR 164.404)
ON_CALL_DAYS_AHEAD = 14  # for which it is known who is on call
ON_CALL_MOST_SHIFTS = 30  # of one member
ON_CALL_MINUTES = (0, 5, 15, 30)  # after which the first, the next, all on call and top answerers are paged
ON_CALL_OPEN_MINUTES = {
    "now": 120,
    "today": 24 * 60,
    "whenever": 72 * 60,
}  # after which nobody has been found
ON_CALL_HANDED_MINUTES = 5  # for a colleague to whom a page was handed, before others are paged
ON_CALL_GRACE_MINUTES = 10  # that a page stays open at least after its last step, however late that came
ON_CALL_ACCEPTED_HOURS = 24  # in which an accepted page should have been answered; then it ends
ON_CALL_NEWCOMERS_PERCENT = 20  # of pages, which go first to somebody who is new to answering there
ON_CALL_PAST = 1000  # cases and questions of a specialty, the newest, by which its answerers are known
ON_CALL_OVERFLOW_MOST = 10  # top answerers whom a page nobody accepted reaches
ON_CALL_STARTED_A_DAY = 10  # by one member
ALERTS_LOOKED_AT = 20  # new matches of a saved search, the newest, of which one is told

LOGGING = log_config(readable=DEBUG or DEMO)
# Who says codes to telephones: in the demonstration each is a file in VAR_DIR/calls, elsewhere nobody until it is set.
CALL_PROVIDER = env.str("CALL_PROVIDER", default=f"verification.calling.{'Files' if DEMO else 'Nobody'}")
CALL_URL = env.str("CALL_URL", default="")  # of the service that verification.calling.Web asks
CALL_KEY = env.str("CALL_KEY", default="")
NEWS_FETCHED = env.bool("NEWS_FETCHED", default=not DEMO)  # whether feeds are read by themselves
NEWS_CONTACT = env.str(
    "NEWS_CONTACT", default=""
)  # an address for publishers, in the name feeds are read under
NEWS_PUBMED_URL = env.str("NEWS_PUBMED_URL", default="https://eutils.ncbi.nlm.nih.gov/entrez/eutils/")
NEWS_CROSSREF_URL = env.str("NEWS_CROSSREF_URL", default="https://api.crossref.org/")
NEWS_PER_PAGE = 20
NEWS_PER_SOURCE = 4  # of a page of one's own feed that one source may fill
NEWS_OUTSIDE = 2  # items a day from outside one's own fields
NEWS_FALL_BACK_AFTER = 3  # failures of a feed in a row, from which on the next one of its source is read
NEWS_DISABLED_AFTER = 10  # failures in a row

EARMARK_PERCENT = 5 if DEMO else 1  # of the posts of 30 days that may be earmarked; a demonstration has few
EARMARK_DAYS = 30
EARMARK_CANCEL_HOURS = 24
HELD_DAYS = 180  # an earmark waits so long for a suspended author
DRAW_DAYS_AHEAD = 7  # for which the hashes of the draw keys stand published
LEFT_DAYS = 90  # in which somebody who left can still be paid
PAYOUT_LEAST_CENTS = 1_000
PAYOUT_BUSINESS_DAYS = 10  # from the request to the promised day
PAYOUT_ONE_APPROVES_FROM = 20_000  # cents; below, a payout approves itself
PAYOUT_TWO_APPROVE_FROM = 100_000
PAYOUT_LATE_CENTS = 0  # credited for each begun week a payout is late
PAYOUT_DETAILS_DAYS = 90  # after its end, when the address of a payout is forgotten
PAYOUT_PROVIDERS = env.dict(  # method: provider
    "PAYOUT_PROVIDERS",
    default={"bank": "pretend", "paypal": "pretend", "check": "manual", "gift": "manual", "charity": "manual"}
    if DEMO
    else {"bank": "manual", "check": "manual", "gift": "manual", "charity": "manual"},
)
STRIPE_URL = env.str("STRIPE_URL", default="https://api.stripe.com")
STRIPE_KEY = env.str("STRIPE_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
PAYPAL_URL = env.str("PAYPAL_URL", default="https://api-m.paypal.com")
PAYPAL_CLIENT_ID = env.str("PAYPAL_CLIENT_ID", default="")
PAYPAL_SECRET = env.str("PAYPAL_SECRET", default="")
PAYPAL_WEBHOOK_ID = env.str("PAYPAL_WEBHOOK_ID", default="")
TAX_TIME_ZONE = "America/New_York"  # the payer's, in which its tax years begin and end
TAX_KEEP_YEARS = 4  # after the last payment, for which a W-9 is kept
OPEN_PAYMENTS_PREVIEW_DAYS = 45
REWARD_LINES_PER_PAGE = 30

OBSERVER_DELAY_MINUTES = 60  # until a post reaches firms
OBSERVER_STEP_MINUTES = 15  # in which posts reach them, so that no moment can be learned more exactly
OBSERVER_LEAST = 11  # physicians of anything a firm is shown a number of, or a group or region by
OBSERVER_ROUND = 5  # numbers that firms are shown are multiples of it
OBSERVER_WEEKS = 26  # of a chart
OBSERVER_REMEMBER_DAYS = 400  # for which is known of whom a shown cell was made
OBSERVER_ROWS_PER_PAGE = 20
OBSERVER_INVITE_DAYS = 14
COMPANY_ANSWER_HOURS = 24
CONFLICT_DAYS = 365
INDUSTRY_FOLD_VOTES = 11  # disputes of two thirds of at least so many votes fold what a firm opened
