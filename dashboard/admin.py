"""The raw rows, for superusers who look for a fault. People use the dashboard's own pages."""

from django.contrib import admin
from django.http import HttpRequest

from dashboard import models
from dashboard.forms.people import AdminSignInForm

admin.site.login_form = AdminSignInForm


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # one class for every model
    """Rows to look at. Writes go through services, which also tell the audit log."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


for name in models.__all__:
    model = getattr(models, name)
    if isinstance(model, type) and hasattr(model, "_meta"):
        admin.site.register(model, ReadOnlyAdmin)
