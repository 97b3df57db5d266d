"""Generates, keeps and rotates the platform's secrets."""
