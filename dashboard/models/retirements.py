"""When models are switched off, as their endpoints tell."""

from django.db import models


class Retirement(models.Model):
    """The last day of one model at one endpoint. Only `services.retirements` writes it."""

    endpoint = models.CharField(max_length=200, help_text="Name of the endpoint")
    model = models.CharField(max_length=200, help_text="Which model")
    day = models.DateField(help_text="The day on which it is switched off")
    seen_at = models.DateTimeField(help_text="When the endpoint last told it")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "model"], name="retirement_is_told_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.endpoint}: {self.day}"
