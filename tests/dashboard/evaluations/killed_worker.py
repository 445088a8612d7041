"""A worker process for the kill -9 test: the real handler, a short lease."""

import os
import sys
from datetime import timedelta

os.environ["DJANGO_SETTINGS_MODULE"] = "trainerbot.settings"

import django

django.setup()

from dashboard.services import tasks
from dashboard.services.tasks import leases, queue, worker

leases.LEASE = queue.LEASE = worker.LEASE = timedelta(seconds=float(sys.argv[1]))

crew = tasks.Worker(threads=1)
crew.start()
sys.stdin.read()  # until the test closes it, or kills us
crew.stop()
crew.join(60.0)
