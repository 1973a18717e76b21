"""Calls between Webex and on-premises through both Expressways, and what each of them and a capture shows of it."""
