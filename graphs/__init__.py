"""Describe graphs of language models, and build LangGraph graphs from them."""
