"""What is said of fine-tune jobs: while they run, when they end, and in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botrunner.quoting import in_a_line

if TYPE_CHECKING:
    from dashboard.models import FineTuneJob, LegacyJob
    from dashboard.services.standings import Standing

FAILED: Final = "Failed to start training."
BAR: Final = 10
LOSS_NAMES: Final = {
    "train_loss": "training loss",
    "valid_loss": "held-out loss",
    "eval_loss": "held-out loss",
}
# What each method makes of a model, for somebody who has never trained one.
METHODS: Final = {
    "knn": "Asked nearly the same as in an example, it answers in the example's own words; else "
    "it reads the nearest examples before it answers. Its weights did not change.",
    "dpo": "It prefers answers like the better one of each pair.",
}


def starting(title: str) -> str:
    return f"Starting to train on {in_a_line(title)} …"


def card(now: Standing) -> str:
    """How a job goes. Its id is told only once its endpoint gave one."""
    job = now.job
    if not job.remote_job_id:
        if job.is_finished:
            return f"{FAILED}\n{_reason(job)}"
        return _lines(starting(str(job.version)), _waits(job))
    learns = f"{in_a_line(str(job.version))} ({job.version.n_examples:,} examples)"
    return _lines(
        f"Model training started. Job ID: {job.remote_job_id}",
        f"{in_a_line(job.base_model)} learns {learns} by the method {in_a_line(job.method)}.",
        _how_far(now),
        _waits(job) or (f"-# {in_a_line(now.said)}" if now.said and not job.is_finished else ""),
    )


def ending(now: Standing) -> str:
    """The one message that tells the asker how their job ended, with their mention."""
    job = now.job
    who = f"<@{job.discord_user.discord_user_id}> " if job.discord_user else ""
    if not job.remote_job_id:
        return f"{who}{card(now)}"
    name = f"{who}Job {job.remote_job_id}"
    if job.status != "succeeded":
        return f"{name} {_reason(job)[0].lower()}{_reason(job)[1:]}"
    return _lines(
        f"{name} is done. The new model is `{job.fine_tuned_model}`.",
        meant_for(now),
        f"Let it answer in this channel: `!use {job.fine_tuned_model}`",
    )


def meant_for(now: Standing) -> str:
    """What a resulting model may be used for."""
    job = now.job
    if now.labels:
        use = f"It tells which label a text has: {in_a_line(', '.join(now.labels[:20]))}. Try `!test`."
    else:
        use = METHODS.get(job.method, "It answers the way its examples do.")
    if not now.licences:
        return use
    return f"{use}\nIts examples are under {in_a_line(', '.join(now.licences))}, which counts for it too."


def in_a_list(job: FineTuneJob) -> str:
    became = f"`{job.fine_tuned_model}`" if job.fine_tuned_model else in_a_line(job.base_model)
    name = f" `{job.remote_job_id}`" if job.remote_job_id else ""
    when = f"<t:{int(job.created_at.timestamp())}:R>"
    return f"**{job.pk}**{name} {in_a_line(job.status)} · {in_a_line(str(job.version))} → {became} · {when}"


def legacy_in_a_list(job: LegacyJob) -> str:
    when = f" · <t:{int(job.created_at.timestamp())}:d>" if job.created_at else ""
    told = f" {in_a_line(job.description)}" if job.description else ""
    return f"`{job.remote_job_id[:100]}`{told}{when}"


def _how_far(now: Standing) -> str:
    job = now.job
    if job.status == "succeeded":
        return f"Done. The new model is `{job.fine_tuned_model}`."
    if job.is_finished:
        return _reason(job)
    parts = [] if now.share is None else [f"{_bar(now.share)} {now.share:.0%}"]
    parts.append("stopping" if job.cancel_requested else in_a_line(job.status.replace("_", " ")))
    if now.step is not None and now.n_steps:
        parts.append(f"step {now.step:,} of {now.n_steps:,}")
    parts += [f"{LOSS_NAMES[name]} {value:.3g}" for name, value in now.losses.items()]
    return " · ".join(parts)


def _reason(job: FineTuneJob) -> str:
    if job.status == "cancelled":
        return "Was cancelled; nothing of it stays."
    return (
        f"Failed: {in_a_line(job.error)}" if job.error else "Failed; its endpoint gave no reason."
    )


def _waits(job: FineTuneJob) -> str:
    return f"-# {in_a_line(job.error)}" if job.error and not job.is_finished else ""


def _bar(share: float) -> str:
    n_full = round(share * BAR)
    return "▰" * n_full + "▱" * (BAR - n_full)


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)
