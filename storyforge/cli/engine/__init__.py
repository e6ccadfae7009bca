"""The node's own vLLM servers: where they run, how they start, who watches each of them."""
