"""Forms of one's own account."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from dashboard.forms.look import dress
from dashboard.services import sign_ins
from trainerbot.errors import NotAllowed

if TYPE_CHECKING:  # the class is generic only in its stubs
    SetPassword = SetPasswordForm[User]
else:
    SetPassword = SetPasswordForm


class PatientForm(AuthenticationForm):
    """Looks at the password only of those who have not failed too often."""

    def clean(self) -> dict[str, Any]:
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        who = {"username": self.cleaned_data.get("username", ""), "address": address}
        try:
            sign_ins.begin(**who)
        except NotAllowed as error:
            raise ValidationError(str(error)) from error
        cleaned = super().clean()
        if self.get_user() is not None:
            sign_ins.succeeded(**who)
        return cleaned


class AdminSignInForm(PatientForm, AdminAuthenticationForm):
    """The other door, of Django's admin site."""


class SignInForm(PatientForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class FirstPasswordForm(SetPassword):
    """For whoever came by a one-time link and has no password yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class NextPasswordForm(PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
