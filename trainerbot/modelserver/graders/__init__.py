"""Graders: what scores a model's answer, computed here without any model."""
