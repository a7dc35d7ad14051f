"""Graphs of language models: their specs, state, edges and the LangGraph graphs built from them."""
