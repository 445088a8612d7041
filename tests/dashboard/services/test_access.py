from itertools import pairwise

import pytest
from django.contrib.auth.models import AnonymousUser

from dashboard.services import access
from dashboard.services.access import Permission, Role
from tests.factories import UserFactory
from trainerbot.errors import NotAllowed

pytestmark = pytest.mark.django_db


def test_everybody_has_one_role():
    assert access.role_of(AnonymousUser()) is Role.ANONYMOUS
    assert access.role_of(None) is Role.ANONYMOUS
    assert access.role_of(UserFactory()) is Role.MEMBER
    assert access.role_of(UserFactory(trainer=True)) is Role.TRAINER
    assert access.role_of(UserFactory(admin=True)) is Role.ADMIN


def test_a_closed_account_may_nothing():
    assert access.role_of(UserFactory(admin=True, is_active=False)) is Role.ANONYMOUS


def test_each_role_may_all_that_the_lower_one_may():
    ladder = [access.MATRIX[role] for role in Role]
    assert all(lower < higher for lower, higher in pairwise(ladder))


def test_a_refusal_says_what_is_missing():
    with pytest.raises(NotAllowed, match="Sign in to start and cancel fine-tunes"):
        access.require(AnonymousUser(), Permission.TRAIN)
    with pytest.raises(NotAllowed, match="A member may not approve and reject corrections"):
        access.require(UserFactory(), Permission.REVIEW)
