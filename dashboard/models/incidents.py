"""What went wrong on our side, under the reference that people were told."""

from django.db import models


class Incident(models.Model):
    """One fault that a person met. Its stack is in the log; no words of people are kept here."""

    reference = models.CharField(max_length=12, unique=True, help_text="What the person was told")
    process = models.CharField(max_length=40, help_text="Which part of the system")
    doing = models.CharField(max_length=200, help_text='What went on, such as "Command train"')
    error = models.CharField(max_length=200, help_text="Class of the exception, and where it rose")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When")

    class Meta:
        indexes = [models.Index(fields=["process", "-id"], name="incident_newest")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.doing}"
