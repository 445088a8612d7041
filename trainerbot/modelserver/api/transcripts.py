"""Transcripts as people and players read them: text, SRT, WebVTT."""

from trainerbot.modelserver.speech.work import Heard
from trainerbot.speech import Segment


def written(heard: Heard, format: str) -> str:
    """Return `heard` as "text", "srt" or "vtt".

    A provider that tells no times gives one segment as long as the sound.
    """
    if format == "text":
        return heard.text + "\n"
    segments = heard.segments or (Segment(0.0, heard.duration_s, heard.text),)
    mark = "," if format == "srt" else "."
    cues = []
    for number, each in enumerate(segments, start=1):
        # An arrow within the words would end a cue's head.
        text = " ".join(each.text.replace("-->", "->").split())
        cue = f"{_clock(each.start_s, mark)} --> {_clock(each.end_s, mark)}\n{text}\n"
        cues.append(f"{number}\n{cue}" if format == "srt" else cue)
    return ("" if format == "srt" else "WEBVTT\n\n") + "\n".join(cues)


def _clock(seconds: float, mark: str) -> str:
    whole_ms = round(seconds * 1000)
    minutes, ms = divmod(whole_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{ms // 1000:02}{mark}{ms % 1000:03}"
