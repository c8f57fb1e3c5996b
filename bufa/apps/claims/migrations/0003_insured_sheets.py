from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0002_appeals"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="sheet",
            name="claim_sheet_kind_known",
        ),
        migrations.AlterField(
            model_name="claim",
            name="insured_fen",
            field=models.BigIntegerField(help_text="As somebody entered it; else what a sheet says holds.", null=True),
        ),
        migrations.AddConstraint(
            model_name="sheet",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["paid", "bill", "insured"])), name="claim_sheet_kind_known"
            ),
        ),
    ]
