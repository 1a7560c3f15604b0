"""Answers as text: table, JSON, CSV and Markdown, and the explanation of every number."""
