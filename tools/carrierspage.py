"""Write docs/carriers.md: carriers' rules with their marks, the claim's states, and how carriers' answers are read."""

from __future__ import annotations

from bufa.domain.carrier_rules import CarrierRule, Topic, defaults
from bufa.domain.claims import TABLE, ClaimState

_ANSWERS = """## How an answer is read

Mails (IMAP or `/hooks/<shop>-<secret>/mail`), pasted chat text, the returned sheet and the carrier's own page
all end as the same thing: an answer about one waybill, with the words it was read from, waiting for a person.
Accepted, it becomes a consent or refusal where the case waits for one, else a statement of the carrier; nothing
happens before that.

- A text is split by waybill (`bufa/domain/carrier_answers.py`) and each piece read (`carrier_says.py`):
  consent, what happened, a promised day, an amount, who pays freight. A question, a condition, a denial, a
  quote and two statements that contradict each other come out as nothing. A tail of a waybill counts where only
  one open parcel has it.
- A mail finds its case by the tag in the reply address (an HMAC; only where the mail service takes plus
  addresses), by Message-ID, by the case code, by a waybill, else a person places it. A sender is known when the
  address is a contact's and the shop's own server vouches for it in the topmost Authentication-Results, or the
  mail answers one of ours by tag or thread. Of anybody else only words about that one case are read, and they
  are marked.
- Mails are sized (5 MB, 60 parts, 50,000 characters), HTML is cut down to its text, attachments are never
  opened.
- The carrier's page opens by a secret address that expires and can be taken back; its secret half is kept as a
  digest.
"""


def page() -> str:
    """The whole page."""
    lines = [
        "# Carriers",
        "",
        "Generated from `domain/rulebooks/carrier_rules.toml` and `domain/claims.py` by `make docs`; `make check`",
        "keeps it fresh. A shop writes its own agreements over these rows in Settings › Carrier rules.",
        "",
        "Marks: *verified* a law or standard, named by article; *seen* read in public compilations, on no page of the",
        "carrier's own; *inferred* our reading of the others. Carriers' own claim pages were not found.",
        "",
        "| Rule | Topic | Carriers | Kinds of case | Says | Mark | Source | Since |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(one) for topic in Topic for one in defaults().rules if one.topic is topic]
    lines += [
        "",
        "## A claim",
        "",
        "One claim a parcel. It runs beside the case and outlives it; `pay` ends in `short_paid` while less than was",
        "asked has come. A window that ends unused makes `open` a `lapsed`, in sight until somebody asks or gives up.",
        "",
        "| State | What can be done |",
        "|---|---|",
    ]
    for state in ClaimState:
        ways = [f"{act.value} → {TABLE[at, act].value}" for at, act in TABLE if at is state]
        lines.append(f"| `{state.value}` | {', '.join(ways) or 'nothing'} |")
    return "\n".join([*lines, "", _ANSWERS])


def _row(one: CarrierRule) -> str:
    carriers = ", ".join(one.carriers) or "all"
    claims = ", ".join(each.value for each in one.claims) or "all"
    says = f"{one.zh} · {one.en}"
    cells = (f"`{one.rule_id}`", one.topic.value, carriers, claims, says, one.mark.value, one.source, str(one.since))
    return "| " + " | ".join(cells) + " |"
