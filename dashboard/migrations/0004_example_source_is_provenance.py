import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0003_provenance_of_examples")]

    operations = [
        migrations.RemoveField(model_name="example", name="author"),
        # With a default, so that the way back has something to put into the rows until
        # the migration before this one writes their sources.
        migrations.AlterField(
            model_name="example",
            name="source",
            field=models.CharField(max_length=20, default="upload"),
        ),
        migrations.RemoveField(model_name="example", name="source"),
        migrations.AlterField(
            model_name="example",
            name="provenance",
            field=models.ForeignKey(
                db_index=False,
                help_text="Where it came from",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="dashboard.provenance",
            ),
        ),
        migrations.AddConstraint(
            model_name="datasetversion",
            constraint=models.CheckConstraint(
                condition=models.Q(frozen_at__isnull=True)
                | (models.Q(n_examples__gte=1) & ~models.Q(sha256="")),
                name="datasetversion_frozen_is_whole",
            ),
        ),
    ]
