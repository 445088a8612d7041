"""Who did what."""

from typing import Any

from django.conf import settings
from django.db import models

from trainerbot.errors import Conflict


class AuditEvent(models.Model):
    """One act of a person or a command. Written once, never changed."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who, if they have an account",
    )
    actor_name = models.CharField(max_length=150, help_text="Who, as named at the time")
    action = models.CharField(max_length=60, help_text='What, such as "correction.approve"')
    target = models.CharField(max_length=120, blank=True, help_text='On what, such as "job 7"')
    detail = models.JSONField(default=dict, help_text="More, without secrets or private words")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When")

    class Meta:
        indexes = [
            models.Index(fields=["-id"], name="audit_newest"),
            models.Index(fields=["target", "id"], name="audit_of_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.target}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Conflict("The audit log is written once and never changed.")
        super().save(*args, **kwargs)
