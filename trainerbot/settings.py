"""Every setting of the project, read from the environment once.

A fresh clone runs with none set. Each name has a row in docs/settings.md.
"""

import contextlib
import logging
import os
import tempfile
from pathlib import Path

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key

django_stubs_ext.monkeypatch()  # lets forms.ModelForm[FineTuneJob] exist at run time

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(str(BASE_DIR / ".env"))

# Where everything that changes lives: rows, uploads, the model server's store, keys.
DATA_DIR = Path(env.str("TRAINERBOT_DATA", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)


def _kept_secret(name: str) -> str:
    """Return the secret in the data folder's file `name`, made at the first call (mode 0600)."""
    path = DATA_DIR / name
    if not path.exists():
        # mkstemp makes the file 0600, and link is all or nothing: when two
        # processes start at once, both end up with the first one's secret.
        handle, made = tempfile.mkstemp(dir=DATA_DIR, prefix=name)
        with open(handle, "w", encoding="ascii") as file:
            file.write(get_random_secret_key())
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
        os.unlink(made)
    return path.read_text(encoding="ascii").strip()


def _secret(name: str) -> str:
    """Return the secret as it is; django-environ takes `$words` for the name of another setting."""
    return os.environ.get(name, "")


SECRET_KEY = _secret("SECRET_KEY") or _kept_secret("secret_key")
DEBUG = env.bool("DEBUG", default=False)
HOST = env.str("TRAINERBOT_HOST", default="127.0.0.1")
PORT = env.int("TRAINERBOT_PORT", default=8000)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- The way to a model -------------------------------------------------------
# The embedded server unless a key or an address says otherwise. Nothing above
# dashboard.services.providers knows the difference.
MODELSERVER_PORT = env.int("MODELSERVER_PORT", default=8001)
MODELSERVER_URL = f"http://127.0.0.1:{MODELSERVER_PORT}/v1"
MODELSERVER_API_KEY = _secret("MODELSERVER_API_KEY") or _kept_secret("modelserver_key")
MODELSERVER_MODEL_PATH = env.str("MODELSERVER_MODEL_PATH", default="")
OPENAI_API_KEY = _secret("OPENAI_API_KEY")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
CHAT_MODEL = env.str("CHAT_MODEL", default="")
CHAT_TIMEOUT_S = env.float("CHAT_TIMEOUT_S", default=120.0)
RECALL_EMBEDDINGS = env.str("RECALL_EMBEDDINGS", default="")
CHAT_STREAM = env.bool("CHAT_STREAM", default=True)
# Others, that only tests ask: {"groq": {"base_url": "https://...", "api_key": "..."}}.
MORE_ENDPOINTS = _secret("MORE_ENDPOINTS")

# --- Speech -------------------------------------------------------------------
# Our own model server hears and speaks, whoever chats. What is set up by hand comes
# first in a chain, then Google, as in the original bot, then what came along.
SPEECH = env.bool("SPEECH", default=True)
SPEECH_LANGUAGE = env.str("SPEECH_LANGUAGE", default="ru-RU")
SPEECH_RECOGNIZERS = env.list("SPEECH_RECOGNIZERS", default=["faster_whisper", "google", "sphinx"])
SPEECH_SYNTHESIZERS = env.list("SPEECH_SYNTHESIZERS", default=["piper", "gtts", "espeak"])
SPEECH_BASE_URL = env.str("SPEECH_BASE_URL", default=MODELSERVER_URL)
SPEECH_STT_MODEL = env.str("SPEECH_STT_MODEL", default="whisper-1")
SPEECH_TTS_MODEL = env.str("SPEECH_TTS_MODEL", default="tts-1")
SPEECH_TIMEOUT_S = env.float("SPEECH_TIMEOUT_S", default=60.0)

# --- Discord ------------------------------------------------------------------
DISCORD_TOKEN = _secret("DISCORD_TOKEN")
DISCORD_API_BASE = env.str("DISCORD_API_BASE", default="")

# --- Limits -------------------------------------------------------------------
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=512 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# Recordings, where consent keeps them. No address leads here: pages hand them out.
MEDIA_ROOT = DATA_DIR / "media"

# --- Rows ---------------------------------------------------------------------
DATABASES = {
    "default": env.db(
        "DATABASE_URL", default=f"sqlite:///{(DATA_DIR / 'trainerbot.sqlite3').as_posix()}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL without IMMEDIATE fails at once in read-then-write transactions; with
    # it, three processes lost none of 6,000 (docs/decisions/0002-sqlite.md).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA mmap_size=134217728;"
            "PRAGMA cache_size=-32000;PRAGMA journal_size_limit=67108864;"
        ),
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Django -------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "dashboard",
    "botrunner",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "dashboard.views.headers.PermissionsPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "trainerbot.urls"
ASGI_APPLICATION = "trainerbot.asgi.application"
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
            ]
        },
    }
]
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels.layers.InMemoryChannelLayer",
        # Messages that wait for one page; the layer drops what comes beyond, and
        # an import or a fine-tune tells of hundreds of steps at once.
        "CONFIG": {"capacity": 10_000},
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files ---------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = DEBUG
# Templates name the hashed files only; keeping the others would double the time
# of the first start (scripts must therefore not import each other by name).
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Security -------------------------------------------------------------------
HTTPS = env.bool("TRAINERBOT_HTTPS", default=False)  # served behind TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "trainerbot_session"
CSRF_COOKIE_NAME = "trainerbot_csrf"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # What was just spoken or recorded is played from the page's own memory.
        "media-src": [SELF, "blob:"],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- Logging --------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line is worth a person's time: that /readyz says "not yet" is its answer."""
    request = getattr(record, "request", None)
    return getattr(request, "path", "") != "/readyz"


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s", "style": "%"}
    },
    "filters": {"news": {"()": "django.utils.log.CallbackFilter", "callback": _is_news}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["news"]}
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # At DEBUG discord.py prints the voice transport key.
        "discord": {"level": "INFO"},
        "httpx2": {"level": "WARNING"},
        "httpcore2": {"level": "WARNING"},
    },
}
