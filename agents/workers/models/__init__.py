"""Run and reach the language models behind workers."""
