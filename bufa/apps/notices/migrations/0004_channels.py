from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_triage"),
        ("notices", "0003_customer_page"),
    ]

    operations = [
        migrations.CreateModel(
            name="NoticeWording",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("purpose", models.CharField(max_length=24)),
                ("channel", models.CharField(max_length=12)),
                ("language", models.CharField(max_length=10)),
                ("version", models.IntegerField()),
                ("is_own", models.BooleanField(default=True)),
                ("text", models.TextField(blank=True)),
                ("subject", models.CharField(blank=True, max_length=200)),
                (
                    "vendor_id",
                    models.CharField(blank=True, help_text="The approved template at the vendor.", max_length=40),
                ),
                ("approval", models.CharField(default="draft", max_length=10)),
                ("refusal", models.CharField(blank=True, help_text="Why the vendor refused it.", max_length=200)),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name="OptOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("person", models.CharField(max_length=64)),
                (
                    "source",
                    models.CharField(
                        help_text="reply: they wrote back; person: one of us; vendor: a blacklist.", max_length=8
                    ),
                ),
                (
                    "channel",
                    models.CharField(blank=True, help_text="Empty: nothing that rings, and no mail.", max_length=12),
                ),
                ("mask", models.CharField(blank=True, max_length=40)),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=80)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_by", models.CharField(blank=True, max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name="Spending",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("day", models.DateField()),
                ("cost_li", models.BigIntegerField(default=0)),
                ("messages", models.IntegerField(default=0)),
                ("tests_li", models.BigIntegerField(default=0, help_text="Of it, for test messages.")),
                ("warned_at", models.DateTimeField(null=True)),
                ("stopped_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="TellingRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("key", models.CharField(max_length=40)),
                ("purpose", models.CharField(max_length=24)),
                ("channel", models.CharField(blank=True, help_text="Empty: by the shop's order.", max_length=12)),
                (
                    "text",
                    models.TextField(
                        blank=True, help_text="Its own text with {names}; empty for the shop's usual one."
                    ),
                ),
                ("per_minute", models.IntegerField(default=60)),
                (
                    "rows",
                    models.JSONField(
                        default=list, help_text="One a parcel: parcel, number, case, code, state, notice, why."
                    ),
                ),
                ("todo", models.IntegerField(default=0)),
                ("state", models.CharField(default="running", max_length=8)),
                ("next_at", models.DateTimeField(help_text="Not before this moment of the shop's clock.", null=True)),
                ("by", models.CharField(max_length=80)),
                ("operator_id", models.BigIntegerField(null=True)),
                ("role", models.CharField(max_length=10)),
                ("at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="notice",
            name="notice_once",
        ),
        migrations.RemoveConstraint(
            model_name="notice",
            name="notice_channel_known",
        ),
        migrations.RemoveConstraint(
            model_name="notice",
            name="notice_state_known",
        ),
        migrations.AddField(
            model_name="notice",
            name="chosen",
            field=models.JSONField(
                default=dict, help_text="Why this channel: those before it and why not, why it is held."
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="cost_li",
            field=models.IntegerField(default=0, help_text="Thousandths of a yuan, as the shop's prices say."),
        ),
        migrations.AddField(
            model_name="notice",
            name="day",
            field=models.DateField(help_text="The shop's day that it counts to, once it may leave.", null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="follows",
            field=models.ForeignKey(
                help_text="The one that did not arrive.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="notices.notice",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="look_at",
            field=models.DateTimeField(help_text="When a receipt is asked for next.", null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="person",
            field=models.CharField(blank=True, help_text="Keyed digest of who is reached.", max_length=64),
        ),
        migrations.AddField(
            model_name="notice",
            name="provider_id",
            field=models.CharField(blank=True, help_text="The vendor's own name of it.", max_length=80),
        ),
        migrations.AddField(
            model_name="notice",
            name="receipt",
            field=models.CharField(blank=True, help_text="waiting, delivered, failed, none", max_length=10),
        ),
        migrations.AddField(
            model_name="notice",
            name="receipt_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="receipt_code",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="notice",
            name="receipt_due_at",
            field=models.DateTimeField(help_text="Until when a receipt is waited for.", null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="segments",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="notice",
            name="tag",
            field=models.CharField(
                blank=True, help_text="Ours, in the vendor's receipt; not to be guessed.", max_length=15
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="channel",
            field=models.CharField(max_length=12),
        ),
        migrations.AlterField(
            model_name="notice",
            name="send_at",
            field=models.DateTimeField(help_text="Held: not before then.", null=True),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["shop_id", "person", "day"], name="notice_of_person"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("receipt", "waiting")), fields=["shop_id", "look_at"], name="notice_look"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state", "held")), fields=["shop_id", "send_at"], name="notice_held"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("provider_id", ""), _negated=True),
                fields=["shop_id", "provider_id"],
                name="notice_provider_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["cancelled", "failed", "silent"]), _negated=True),
                fields=("case", "purpose", "recipient", "round"),
                name="notice_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["cancelled", "failed"]), _negated=True),
                fields=("case", "purpose", "channel", "recipient", "round"),
                name="notice_once_per_channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("tag", ""), _negated=True), fields=("shop_id", "tag"), name="notice_tag_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("channel__in", ["sms", "aliyun_sms", "tencent_sms", "voice", "site", "email", "phone"])
                ),
                name="notice_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "held",
                            "queued",
                            "sending",
                            "sent",
                            "delivered",
                            "silent",
                            "failed",
                            "unknown",
                            "cancelled",
                            "todo",
                            "done",
                        ],
                    )
                ),
                name="notice_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("receipt__in", ["", "waiting", "delivered", "failed", "none"])),
                name="notice_receipt_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticewording",
            constraint=models.UniqueConstraint(
                fields=("shop_id", "purpose", "channel", "language", "version"), name="wording_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="noticewording",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("channel__in", ["sms", "aliyun_sms", "tencent_sms", "voice", "site", "email", "phone"])
                ),
                name="wording_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticewording",
            constraint=models.CheckConstraint(
                condition=models.Q(("approval__in", ["draft", "submitted", "approved", "refused"])),
                name="wording_approval_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="optout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)), fields=("shop_id", "person", "channel"), name="opt_out_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="optout",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["reply", "person", "vendor"])), name="opt_out_source_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="spending",
            constraint=models.UniqueConstraint(fields=("shop_id", "day"), name="spending_once_a_day"),
        ),
        migrations.AddConstraint(
            model_name="spending",
            constraint=models.CheckConstraint(
                condition=models.Q(("cost_li__gte", 0), ("messages__gte", 0)), name="spending_not_negative"
            ),
        ),
        migrations.AddField(
            model_name="tellingrun",
            name="incident",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="tellings", to="cases.incident"
            ),
        ),
        migrations.AddIndex(
            model_name="tellingrun",
            index=models.Index(
                condition=models.Q(("state", "running")), fields=["shop_id", "id"], name="telling_run_going"
            ),
        ),
        migrations.AddConstraint(
            model_name="tellingrun",
            constraint=models.UniqueConstraint(fields=("shop_id", "key"), name="telling_run_once"),
        ),
        migrations.AddConstraint(
            model_name="tellingrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["running", "stopped", "done"])), name="telling_run_state_known"
            ),
        ),
        ProtectByShop("notices_spending"),
        ProtectByShop("notices_optout"),
        ProtectByShop("notices_noticewording"),
        ProtectByShop("notices_tellingrun"),
    ]
