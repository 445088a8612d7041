"""The button, and who presses it."""

import pytest

from dashboard.models import Correction, Training
from dashboard.services import trainings
from tests.dashboard.trainings.driving import EVERYWHERE, OFFERED, taught
from tests.factories import UserFactory


@pytest.fixture
def boss():
    return UserFactory(username="boss", is_superuser=True)


@pytest.fixture
def press(endpoint, boss):
    """Presses the button: with twelve corrections unless there are some."""

    def begin(**wanted) -> Training:
        if not Correction.objects.exists():
            taught()
        wanted = {"offered": OFFERED, "actor": boss, **wanted}
        return trainings.begin(wanted.pop("scope", EVERYWHERE), **wanted)

    return begin
