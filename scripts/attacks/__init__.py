"""The attacks of scripts/attack, by what they aim at."""
