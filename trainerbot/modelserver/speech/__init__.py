"""Hearing and speaking, each provider in processes of its own."""
