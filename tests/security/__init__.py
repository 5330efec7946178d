"""What an attacker, a wrong setting or a careless log could do, tried for real."""
