import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0004_measures"),
    ]

    operations = [
        migrations.CreateModel(
            name="AddressChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("source", models.CharField(max_length=10)),
                (
                    "said_at",
                    models.DateTimeField(
                        help_text="When the customer asked for it; when the platform's order changed."
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                ("by", models.CharField(max_length=80)),
                (
                    "proof_kind",
                    models.CharField(
                        blank=True, help_text="Where the proof lies; none: nobody has one.", max_length=10
                    ),
                ),
                ("proof_file", models.BigIntegerField(help_text="A file of the order's case.", null=True)),
                (
                    "open_address_id",
                    models.CharField(blank=True, help_text="The platform's, after the change.", max_length=80),
                ),
                ("name_mask", models.CharField(blank=True, max_length=60)),
                ("phone_mask", models.CharField(blank=True, max_length=40)),
                ("address_mask", models.CharField(blank=True, max_length=200)),
                ("province", models.CharField(blank=True, max_length=30)),
                ("city", models.CharField(blank=True, max_length=30)),
                ("district", models.CharField(blank=True, max_length=30)),
                ("town", models.CharField(blank=True, max_length=60)),
                (
                    "sealed",
                    models.BinaryField(
                        default=b"", help_text="Sealed JSON: name, phone, address, and the words of the proof."
                    ),
                ),
                ("blind_index", models.CharField(blank=True, max_length=64)),
                ("was", models.JSONField(default=dict, help_text="Places and masks before it.")),
                ("taken_back_at", models.DateTimeField(null=True)),
                ("taken_back_by", models.CharField(blank=True, max_length=80)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="address_changes", to="orders.order"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["order", "-id"], name="address_change_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["platform", "customer"])), name="address_change_source_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("proof_kind__in", ["", "chat", "call", "file", "platform"])),
                        name="address_change_proof_known",
                    ),
                ],
            },
        ),
        ProtectByShop("orders_addresschange"),
    ]
