"""What the processes of one bot must agree on before they speak to Discord."""

from datetime import timedelta

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import IdentifySlot, SyncedCommands

PACE = timedelta(seconds=5)
DAY = timedelta(days=1)
# Discord resets the token after 1,000 a day. Past this many, the rest is spread over the day.
FREELY_A_DAY = 300
SLOW_PACE = timedelta(seconds=150)


@transaction.atomic
def try_identify(bucket: int) -> float:
    """Take the turn to send IDENTIFY in `bucket` and return 0, or the seconds until to ask again.

    One turn in five seconds, over all processes on this database. A bot that
    does so without end, as in a fault of Discord's or of a network, slows
    down long before Discord would reset its token.
    """
    moment = now()
    slot, is_new = IdentifySlot.objects.select_for_update().get_or_create(
        bucket=bucket, defaults={"free_at": moment, "counted_from": moment}
    )
    if not is_new and slot.free_at > moment:
        return (slot.free_at - moment).total_seconds()
    if moment - slot.counted_from > DAY:
        slot.counted_from, slot.n_in_day = moment, 0
    slot.n_in_day += 1
    slot.free_at = moment + (PACE if slot.n_in_day <= FREELY_A_DAY else SLOW_PACE)
    slot.save(update_fields=["free_at", "counted_from", "n_in_day"])
    return 0.0


def commands_are_synced(*, application_id: int, digest: str) -> bool:
    """Whether Discord already knows these very commands of the application."""
    known = SyncedCommands.objects.filter(application_id=application_id, digest=digest)
    return known.exists()


def note_synced_commands(*, application_id: int, digest: str) -> None:
    """Remember what Discord has taken."""
    SyncedCommands.objects.update_or_create(
        application_id=application_id, defaults={"digest": digest}
    )
