"""What open pages and other processes should know, written with the change itself."""

from django.db import models


class OutboxEvent(models.Model):
    """One thing that changed, in the order of ids.

    Written in the transaction of the change, so it exists exactly when the
    change does. A reader that remembers the last id misses nothing.
    """

    topic = models.CharField(max_length=80, help_text='Whom it concerns, such as "job.7"')
    kind = models.CharField(max_length=60, help_text='What happened, such as "job.changed"')
    payload = models.JSONField(default=dict, help_text="Ids and states; no private words")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it happened")

    class Meta:
        indexes = [models.Index(fields=["topic", "id"], name="outbox_by_topic")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.topic}"
