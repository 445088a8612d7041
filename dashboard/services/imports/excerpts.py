"""What stands in the file of an import, for whoever looks at it while its bytes are there."""

from dashboard.models import DatasetImport
from dashboard.services.imports import moving
from trainerbot import formats
from trainerbot.errors import NotFound, TrainerBotError


def excerpt(imported: DatasetImport, line: int, *, place: str = "") -> str:
    """What stands at a line, as `formats.excerpt` has it; "" where there is none.

    Raises NotFound when the file is not there: nothing has come, or it is imported.
    """
    return _of(imported, line, file_format=imported.file_format, place=place)


def raw_rows(imported: DatasetImport, n_rows: int) -> list[str]:
    """The first rows of a table as they lie, to tell its columns apart; none of another file."""
    if not imported.detected.get("columns"):
        return []
    found: list[str] = []
    for line in range(1, n_rows + 1):
        try:
            text = _of(imported, line, file_format="table")
        except TrainerBotError:
            break  # The file has fewer rows, or went while the page was drawn.
        if text:
            found.append(text)
    return found


def _of(imported: DatasetImport, line: int, *, file_format: str, place: str = "") -> str:
    try:
        return formats.excerpt(
            moving.path_of(imported),
            line,
            format=file_format,
            options=moving.options_of(imported),
            place=place,
        )
    except OSError as error:
        raise NotFound("The file is not here: nothing has come yet, or it is imported.") from error
