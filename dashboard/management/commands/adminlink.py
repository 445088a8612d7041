"""`manage.py adminlink`: a way in for whoever owns the machine."""

from typing import Any

from django.conf import settings

from dashboard.management.service_command import ServiceCommand
from dashboard.services import people


class Command(ServiceCommand):
    help = "Print a fresh one-time link that signs in as admin. Older links stop working."

    def run(self, *, as_json: bool, **options: Any) -> None:
        link = f"http://127.0.0.1:{settings.PORT}{people.admin_path()}"
        if as_json:
            self.give({"link": link})
        else:
            self.say(link)
