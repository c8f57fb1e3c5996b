"""What reading a mailbox needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Settings:
    """`imap_security`: "tls" from the first byte (993), "starttls" (143), or "none" for a server on this machine.

    Without a log-in of its own the mailbox takes the one that sends (`username`, `password`)."""

    imap_host: str
    imap_port: int = 993
    imap_security: Literal["tls", "starttls", "none"] = "tls"
    imap_folder: str = "INBOX"
    username: str = ""
    password: str = field(default="", repr=False)
    imap_username: str = ""
    imap_password: str = field(default="", repr=False)
