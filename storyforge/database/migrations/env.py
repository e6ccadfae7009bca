"""Alembic's entry: runs the migrations on the connection that it was given."""

from alembic import context

from storyforge.database.migrate import comparison_options
from storyforge.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, **comparison_options(connection))
with context.begin_transaction():
    context.run_migrations()
