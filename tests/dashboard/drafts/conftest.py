"""What most tests of drafts begin with."""

import pytest

from dashboard.services import drafts
from tests.dashboard.drafts.making import chat, version_of


@pytest.fixture
def draft(db):
    return drafts.copy(version_of([chat(n) for n in range(8)]), actor=None)
