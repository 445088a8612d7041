"""Imports: a file is received, checked and becomes the rows of a version.

Each long step is a task: it shows its progress, can be cancelled, and goes
on after kill -9 where it was. Until the last row is stored nobody sees any.
"""

from dashboard.services.imports.cancelling import cancel, forget_unfinished
from dashboard.services.imports.checking import CHECK, check, readable
from dashboard.services.imports.excerpts import excerpt, raw_rows
from dashboard.services.imports.moving import (
    TOPIC,
    DatasetRefused,
    get,
    path_of,
    report_of,
    tasks_of,
    topic,
)
from dashboard.services.imports.moving import uploads_folder as folder
from dashboard.services.imports.receiving import (
    begin_upload,
    choose,
    import_file,
    keep_job_ids,
    receive,
    refuse_job_ids,
    start_import,
)
from dashboard.services.imports.rows import IMPORT, store
from dashboard.services.imports.surveying import SURVEY, look
from dashboard.services.imports.surveying import as_text as survey_as_text

__all__ = [
    "CHECK",
    "IMPORT",
    "SURVEY",
    "TOPIC",
    "DatasetRefused",
    "begin_upload",
    "cancel",
    "check",
    "choose",
    "excerpt",
    "folder",
    "forget_unfinished",
    "get",
    "import_file",
    "keep_job_ids",
    "look",
    "path_of",
    "raw_rows",
    "readable",
    "receive",
    "refuse_job_ids",
    "report_of",
    "start_import",
    "store",
    "survey_as_text",
    "tasks_of",
    "topic",
]
