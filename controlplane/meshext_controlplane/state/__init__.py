"""What must survive: authority, tokens, certificates, bans, applied documents, registrations, in SQLite."""
