"""Talk with carriers: contacts, messages, consent."""
