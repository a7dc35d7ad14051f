"""Run the subcommands of `octopus`, a file each; heavy imports wait until a command runs."""
