"""Suasion: the claims of an article in international relations, as a knowledge graph."""

__version__ = "0.1.0"
