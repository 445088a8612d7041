"""How far an import is, for the list and for its own page."""

from dataclasses import dataclass

from dashboard.models import DatasetImport
from dashboard.services import imports

State = DatasetImport.State

WORDS = {
    State.RECEIVING: "Uploading",
    State.RECEIVED: "Waiting for the worker",
    State.CHECKING: "Reading every line",
    State.IMPORTING: "Storing the rows",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """An import and how far its present step is. percent: 0 to 100, None while nobody knows."""

    imported: DatasetImport
    percent: int | None
    words: str
    is_stopping: bool

    @property
    def topic(self) -> str:
        return imports.topic(self.imported)

    @property
    def is_moving(self) -> bool:
        """Whether it will change without a person doing anything here."""
        return not self.imported.is_over and self.imported.state != State.CHECKED


def watch(imported: DatasetImport) -> Watched:
    words = WORDS.get(State(imported.state), imported.get_state_display())
    if imported.state == State.CHECKED:
        is_fine = imported.report.get("ok") and imported.report.get("n_examples")
        words = "Ready to import" if is_fine else "Needs a look"
    if imported.state == State.RECEIVING:
        percent = 100 * imported.n_received // max(imported.n_bytes, 1)
        return Watched(imported, percent, words, is_stopping=False)
    # A survey goes on beside it, and is shown apart.
    steps = imports.tasks_of(imported).unfinished().exclude(kind=imports.SURVEY)
    task = steps.order_by("-pk").first()
    if task is None:
        return Watched(imported, None, words, is_stopping=False)
    return Watched(imported, task.percent, words, is_stopping=task.cancel_requested)
