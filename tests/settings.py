"""The settings of the tests: a data folder of their own, nothing from the machine."""

import os
import tempfile

# A process that a test starts shares the test's own folder when it is told of it.
os.environ["TRAINERBOT_DATA"] = os.environ.get("TRAINERBOT_TESTS_DATA") or tempfile.mkdtemp(
    prefix="trainerbot-tests-"
)
for name in (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "DISCORD_TOKEN",
    "DISCORD_API_BASE",
    "CHAT_MODEL",
):
    os.environ[name] = ""  # not removed: a .env file would fill the gap

from trainerbot.settings import *  # noqa: E402, F403

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file, since tests start other processes on the same rows.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "tests.sqlite3")}  # noqa: F405
    # These rows need not outlive the machine. The bot opens and closes a connection
    # for each of its calls, and with the disk's word for it each takes eight times as long.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # noqa: F405

# The websocket origin check reads this when trainerbot.asgi is first imported.
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Pages are tested without collecting their files first.
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405
WHITENOISE_USE_FINDERS = True
# Looked for when one is asked for: a list of them all would be made for each test.
WHITENOISE_AUTOREFRESH = True
