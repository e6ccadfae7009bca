"""The database: the only place with SQL; it owns jobs, scenes, segments and bibles."""
