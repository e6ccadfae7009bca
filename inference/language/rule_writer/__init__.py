"""The deterministic rule-based writer: scripts, bible and summaries without a language model."""

from inference.language.rule_writer.writer import RuleWriter

__all__ = ["RuleWriter"]
