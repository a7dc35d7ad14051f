"""The parts of the server: who calls, which graph, how it runs, what is said in which protocol."""
