"""Train what routes, plans and answers."""
