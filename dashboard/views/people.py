"""Coming in: by password, or once by the link that the console printed."""

from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.people import FirstPasswordForm, NextPasswordForm, SignInForm
from dashboard.services import people
from dashboard.services.access import Permission
from dashboard.views.doors import requires
from trainerbot.errors import NotAllowed


class SignIn(LoginView):
    template_name = "dashboard/people/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


@never_cache
@require_GET
def start(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in by a one-time link, then offer to choose a password."""
    try:
        user = people.claim_first_admin(token)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("sign-in")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("password" if not user.has_usable_password() else "home")


@require_http_methods(["GET", "POST"])
@requires(Permission.CHAT)
def password(request: HttpRequest) -> HttpResponse:
    """Choose a password: without naming the old one only where there is none."""
    user = request.user
    assert isinstance(user, User)
    first = not user.has_usable_password()
    form: FirstPasswordForm | NextPasswordForm = (
        FirstPasswordForm(user, request.POST or None)
        if first
        else NextPasswordForm(user, request.POST or None)
    )
    if request.method == "POST" and form.is_valid():
        people.choose_password(user, form.cleaned_data["new_password1"])
        update_session_auth_hash(request, user)
        messages.success(request, "The password is set. Use it at your next sign-in.")
        return redirect("home")
    return render(request, "dashboard/people/password.html", {"form": form, "first": first})
