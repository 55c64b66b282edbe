"""The `functa` command: each command parses, calls one library function and prints."""
