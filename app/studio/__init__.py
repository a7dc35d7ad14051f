"""What the LangGraph development server and Studio load."""
