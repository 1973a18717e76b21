"""What TCP needs when a middlebox changes the length of what passes."""
