"""What is found out of an embedding model once, with an invented one that has the usual faults."""

import numpy as np
import pytest

from trainerbot.retrieval.calibration import CYRILLIC, LATIN, OTHER, Calibration, script, unit
from trainerbot.retrieval.calibration.asked import load
from trainerbot.retrieval.calibration.fitting import MAX_DIMENSIONS, Sample, project, texts

N_DIMENSIONS = 256
N_NOISY = 40


@pytest.fixture(scope="module")
def raw():
    """Vectors that all point one way, most of all their language's, and differ more by wording
    than by what they ask."""
    known, asked = load()
    source = np.random.default_rng(3)
    meant = {one.question: source.normal(size=N_DIMENSIONS) for one in known}
    vectors = {}
    for text in texts():
        vectors[text] = meant.get(text, source.normal(size=N_DIMENSIONS))
    for one in asked:
        if one.right is not None:
            vectors[one.text] = vectors[known[one.right].question].copy()
    for text, vector in vectors.items():
        vector[:N_NOISY] += 6 * source.normal(size=N_NOISY)
        vector[-1] += 30
        vector[-2] += 20 * (script(text) == CYRILLIC)
    return {text: vector.astype(np.float32) for text, vector in vectors.items()}


@pytest.fixture(scope="module")
def calibration(raw):
    known, asked = load()
    return project(Sample(known, asked, raw), asked, (0.5, -1.0))


def n_first(known, asked, place):
    """How many of the asked questions are nearest to the correction that is right."""
    questions = place([one.question for one in known])
    return sum(int((questions @ place([one.text])[0]).argmax()) == one.right for one in asked)


def test_wordings_of_one_question_come_nearer_than_the_model_has_them(raw, calibration):
    known, every = load()
    asked = [one for one in every if one.kind.startswith("hard")]

    def as_they_are(some):
        return unit(np.array([raw[text] for text in some]))

    def calibrated(some):
        return calibration.place(some, np.array([raw[text] for text in some]))

    assert n_first(known, asked, calibrated) > 1.5 * n_first(known, asked, as_they_are)


def test_it_is_kept_in_bytes_and_read_again(calibration):
    read = Calibration.from_bytes(calibration.to_bytes())

    assert read.n_dimensions == N_DIMENSIONS
    assert read.projection.shape == (N_DIMENSIONS, MAX_DIMENSIONS)
    assert read.weights == calibration.weights
    assert np.allclose(read.strangers, calibration.strangers, atol=1e-3)


@pytest.mark.parametrize("kept", [b"", b"nothing of the kind", b"PK\x03\x04broken"])
def test_bytes_that_are_no_calibration_are_refused(kept):
    with pytest.raises(ValueError, match="no calibration"):
        Calibration.from_bytes(kept)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("How do I pay?", LATIN),
        ("Wie zahle ich für Größe 38?", LATIN),
        ("Как оплатить по PayPal?", CYRILLIC),
        ("Ґанок та їжак", CYRILLIC),
        ("支払い方法は?", OTHER),
        ("42!", OTHER),
        ("", OTHER),
    ],
)
def test_the_letters_of_a_text_are_told(text, letters):
    assert script(text) == letters
