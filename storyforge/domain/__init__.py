"""Pure domain types: no SQLAlchemy, Redis or settings here."""
