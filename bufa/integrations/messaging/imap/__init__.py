"""A mailbox read by IMAP, and what a mail says, whatever its sender did to it."""
