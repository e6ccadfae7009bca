"""The language model's server: vLLM in an environment of its own, started, probed and put to sleep."""
