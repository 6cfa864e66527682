"""The attacks of scripts/attack, by target."""
