"""Names under which models answer."""

import factory
from factory.django import DjangoModelFactory

from dashboard.models import Alias, Release


class AliasFactory(DjangoModelFactory[Alias]):
    """A name under which nothing answers; `answered_by="small"` promotes that model."""

    class Meta:
        model = Alias
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"name-{n}")

    @factory.post_generation
    def answered_by(self, create: bool, model: str | None, **kwargs: object) -> None:
        if model is not None:
            self.stable = ReleaseFactory(alias=self, model=model)
            self.save()


class ReleaseFactory(DjangoModelFactory[Release]):
    class Meta:
        model = Release

    alias = factory.SubFactory(AliasFactory)
    number = factory.LazyAttribute(lambda row: row.alias.releases.count() + 1)
    model = "small"
