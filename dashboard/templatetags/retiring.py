"""What every page says that is about models which will soon not answer any more."""

from django import template

from dashboard.services import retirements

register = template.Library()


@register.inclusion_tag("dashboard/models/_retiring.html", takes_context=True)
def retiring(context: template.Context, guild_id: int | None = None) -> dict[str, object]:
    """The models in use that are soon switched off; of one server, those that concern it."""
    return {
        "retiring": retirements.warned(guild_id=guild_id),
        "guild_id": guild_id,
        "request": context["request"],
    }
