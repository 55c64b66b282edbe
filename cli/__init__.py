"""The `functa` command of functa-fusion: each command parses, calls one library function and prints."""
