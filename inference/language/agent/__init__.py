"""The script agent: a language model behind an OpenAI-compatible server, asked for bounded JSON."""
