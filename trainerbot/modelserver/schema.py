"""The tables of the server's SQLite file, step by step: a step that has landed never changes."""

_FIRST = """
CREATE TABLE IF NOT EXISTS files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL,
    n_bytes INTEGER NOT NULL,
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    model TEXT NOT NULL,
    method TEXT NOT NULL,
    hyperparameters TEXT NOT NULL,
    seed INTEGER NOT NULL,
    training_file TEXT NOT NULL,
    validation_file TEXT,
    suffix TEXT,
    metadata TEXT,
    fine_tuned_model TEXT,
    finished_at INTEGER,
    trained_tokens INTEGER,
    result_files TEXT NOT NULL DEFAULT '[]',
    error TEXT
);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT,
    UNIQUE (job_id, key)
);
CREATE TABLE IF NOT EXISTS models (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    base_model TEXT NOT NULL,
    method TEXT NOT NULL,
    job_id TEXT NOT NULL,
    sha256 TEXT NOT NULL
);
"""

# Uploads in parts, files that expire, and who may use a checkpoint.
_FILES = """
ALTER TABLE files ADD COLUMN expires_at INTEGER;
CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    n_bytes INTEGER NOT NULL,
    status TEXT NOT NULL,
    file_expires_after_s INTEGER,
    file_id TEXT
);
CREATE TABLE upload_parts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    upload_id TEXT NOT NULL REFERENCES uploads (id),
    created_at INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    n_bytes INTEGER NOT NULL
);
CREATE TABLE permissions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    checkpoint TEXT NOT NULL,
    project_id TEXT NOT NULL,
    UNIQUE (checkpoint, project_id)
);
"""

# A tuned model is several files; a job has checkpoints, and figures of its own at the end.
_TRAINING = """
CREATE TABLE model_files (
    model_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (model_id, name)
);
INSERT INTO model_files (model_id, name, sha256) SELECT id, 'tuned.jsonl', sha256 FROM models;
ALTER TABLE models DROP COLUMN sha256;
ALTER TABLE jobs ADD COLUMN integrations TEXT NOT NULL DEFAULT '[]';
ALTER TABLE jobs ADD COLUMN estimated_finish INTEGER;
ALTER TABLE jobs ADD COLUMN result TEXT;
CREATE TABLE checkpoints (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL,
    step INTEGER NOT NULL,
    model_id TEXT NOT NULL,
    metrics TEXT NOT NULL,
    UNIQUE (job_id, step)
);
"""

# Chat completions that a client asked to keep.
_COMPLETIONS = """
CREATE TABLE completions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    model TEXT NOT NULL,
    metadata TEXT,
    messages TEXT NOT NULL,
    completion TEXT NOT NULL
);
"""

STEPS = (_FIRST, _FILES, _TRAINING, _COMPLETIONS)
