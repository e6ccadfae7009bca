"""`storyforge db`: what the database's schema is and should be."""

from __future__ import annotations

from storyforge.database.engine import open_database
from storyforge.database.migrate import revisions, upgrade
from storyforge.settings import Settings


def upgrade_database(settings: Settings) -> str:
    """Run the migrations; gives a sentence on what was done."""
    database = open_database(settings.database_url, settings.database)
    try:
        before, newest = revisions(database)
        upgrade(database)
    finally:
        database.dispose()
    if before == newest:
        return f"The schema is at revision {newest} already."
    return f"The schema went from {before or 'nothing'} to revision {newest}."
